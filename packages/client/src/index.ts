export { addressFromEnvironment, addressVariable, defaultAddress } from './address.ts'
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
export type { Deprecation, Introspection, Plugin, ServerInfo } from './introspection.ts'
export type { RemoteEvents } from './remote-events.ts'
export { defaultSnapshotter, snapshotterFromEnvironment, snapshotterVariable } from './snapshotter-name.ts'
