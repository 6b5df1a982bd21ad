export type { Attachment } from './attachment.ts'
export { Cni, type CniOptions, type CniResult } from './cni.ts'
export type { JsonObject } from './json-object.ts'
export {
  defaultNetworkDirectory,
  loopbackNetwork,
  type NetworkList,
  type PluginConfiguration,
  parseNetworkList,
  readDefaultNetwork,
} from './network-list.ts'
