export { type OpenShimRuntimeOptions, openShimRuntime } from './open-shim-runtime.ts'
export { findShim } from './shim/find-shim.ts'
export type { ShimRuntime } from './shim-runtime.ts'
