export { type Checkpoint, readCheckpoint } from './checkpoint/checkpoint-index.ts'
export {
  type Client,
  type ClientView,
  type ConnectOptions,
  connect,
  type LeaseOptions,
  type OwnLease,
} from './client.ts'
export { addressFromEnvironment, defaultAddress, systemAddress } from './connection/address.ts'
export { directoriesUser } from './connection/directories-user.ts'
export type { ClientTls } from './connection/endpoint.ts'
export type { AdmitPeer } from './connection/session.ts'
export type { CheckpointContainerOptions } from './containers/checkpoint-container.ts'
export type { ContainerHandle, NewTaskOptions } from './containers/container-handle.ts'
export type { CreateContainerOptions } from './containers/create-container.ts'
export type { ProcessOptions } from './containers/image-spec.ts'
export { removeContainer } from './containers/remove-container.ts'
export type {
  RestoreContainerOptions,
  RestoreOptions,
  UnpackRequest,
} from './containers/restore-container.ts'
export type { RunOptions, RunResult } from './containers/run-container.ts'
export type { Disk, Explanation, Explanations, Pruned, PruneOptions } from './disk/disk.ts'
export { unusedImages } from './disk/unused-images.ts'
export type { ForkOptions } from './fork/fork-options.ts'
export { defaultSnapshotter } from './messages/snapshotter-name.ts'
export { namespacesWith } from './namespaces-with.ts'
export type {
  Deprecation,
  Introspection,
  Plugin,
  RuntimeDescription,
  ServerInfo,
} from './remote/introspection.ts'
export type { RemoteEvents } from './remote/remote-events.ts'
export type { RemoteMounts } from './remote/remote-mounts.ts'
export type { SnapshotterOptions } from './remote/remote-snapshotter.ts'
export type { SandboxController } from './remote/sandbox-controller.ts'
export type { CheckpointTaskOptions } from './task/checkpoint-options.ts'
export { endTask } from './task/end-task.ts'
export type { ProcessHandle } from './task/process-handle.ts'
export { retryWhileAway } from './task/retry-while-away.ts'
export { signalNumber } from './task/signal-number.ts'
export type { StdioOptions } from './task/stdio-options.ts'
export type { ExecProcessOptions, FindProcessOptions, TaskHandle } from './task/task-handle.ts'
export type { PullOptions, PushOptions } from './transfer-options.ts'
