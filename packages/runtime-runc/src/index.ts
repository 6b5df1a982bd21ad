export { type OpenRuncRuntimeOptions, openRuncRuntime } from './open-runc-runtime.ts'
export { delegatedCgroup } from './rootless/delegated-cgroup.ts'
export type { RuncRuntime } from './runc-runtime.ts'
