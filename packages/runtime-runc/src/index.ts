export { openSupervisor } from './supervisor/open-supervisor.ts'
export type {
  LaunchPaths,
  LaunchRequest,
  SupervisedProcess,
  Supervisor,
  SupervisorOptions,
  TerminalSize,
} from './supervisor/supervisor.ts'
