export { type OpenShimRuntimeOptions, openShimRuntime } from './open-shim-runtime.ts'
export type { ShimRuntime } from './shim-runtime.ts'
