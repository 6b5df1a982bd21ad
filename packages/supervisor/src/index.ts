export { runningSupervisors } from './client/find-supervisor.ts'
export { openSupervisor } from './open-supervisor.ts'
export { type LogProgram, type OutputTarget, outputTarget } from './protocol/output-target.ts'
export { joinCgroup } from './server/join-cgroup.ts'
export type {
  AbortOptions,
  LaunchCommand,
  LaunchPaths,
  LaunchRequest,
  ProcessExit,
  ProcessIo,
  SupervisedProcess,
  Supervisor,
  SupervisorOptions,
  SupervisorStatistics,
  TerminalSize,
} from './supervisor.ts'
