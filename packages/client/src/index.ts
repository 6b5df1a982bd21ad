export { addressFromEnvironment, defaultAddress } from './address.ts'
export type { CheckpointContainerOptions } from './checkpoint/checkpoint-container.ts'
export { type Checkpoint, readCheckpoint } from './checkpoint/checkpoint-index.ts'
export type { CheckpointTaskOptions } from './checkpoint/checkpoint-options.ts'
export type {
  RestoreContainerOptions,
  RestoreOptions,
  UnpackRequest,
} from './checkpoint/restore-container.ts'
export {
  type Client,
  type ClientView,
  type ConnectOptions,
  connect,
  type LeaseOptions,
  type OwnLease,
  type PullOptions,
  type PushOptions,
} from './client.ts'
export type { ClientTls } from './endpoint.ts'
export type { Deprecation, Introspection, Plugin, ServerInfo } from './introspection.ts'
export type { RemoteEvents } from './remote-events.ts'
export { defaultSnapshotter } from './snapshotter-name.ts'
export type { ContainerHandle, NewTaskOptions } from './task/container-handle.ts'
export type { ForkOptions } from './task/fork-options.ts'
export type { ProcessHandle } from './task/process-handle.ts'
export { retryWhileAway } from './task/retry-while-away.ts'
export { signalNumber } from './task/signal-number.ts'
export type { StdioOptions } from './task/stdio-options.ts'
export type { ExecProcessOptions, FindProcessOptions, TaskHandle } from './task/task-handle.ts'
