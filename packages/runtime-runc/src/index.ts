export { type OpenRuncRuntimeOptions, openRuncRuntime } from './open-runc-runtime.ts'
export type { RuncRuntime } from './runc-runtime.ts'
