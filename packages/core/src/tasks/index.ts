export type { AbortOptions } from '@nsbox/concurrency'
export type { OpaqueValue } from '../opaque-value.ts'
export type { CgroupV1Metrics } from './cgroup-v1-metrics.ts'
export type { CgroupV2Metrics } from './cgroup-v2-metrics.ts'
export type { GivenPaths, PathUse, PathUses } from './given-paths.ts'
export type { TaskMetrics } from './metrics.ts'
export type { Process, ProcessExit, ProcessInfo, ProcessIo, ProcessStatus } from './process.ts'
export type {
  CheckpointImages,
  RuntimeCheckpointOptions,
  RuntimeInfo,
  RuntimeInfoOptions,
  RuntimeTaskOptions,
  RuntimeTasks,
  TaskRuntime,
} from './task-runtime.ts'
export { type TaskUsage, taskUsage } from './task-usage.ts'
export type {
  CheckpointOptions,
  CreateTaskOptions,
  ExecOptions,
  KillOptions,
  ProcessChoice,
  Tasks,
  UpdateTaskOptions,
} from './tasks.ts'
