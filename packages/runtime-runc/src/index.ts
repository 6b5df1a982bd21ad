export { type OpenRuncRuntimeOptions, openRuncRuntime } from './open-runc-runtime.ts'
export type { RuncRuntime } from './runc-runtime.ts'
export { openSupervisor } from './supervisor/open-supervisor.ts'
export type {
  LaunchPaths,
  LaunchRequest,
  SupervisedProcess,
  Supervisor,
  SupervisorOptions,
  TerminalSize,
} from './supervisor/supervisor.ts'
