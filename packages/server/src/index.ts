export type { ProxyPlugin, ProxyPluginType } from './configuration/proxy-plugin.ts'
export {
  type Configuration,
  type ConfigurationSources,
  readConfiguration,
} from './configuration/read-configuration.ts'
export type {
  CallMessage,
  ChannelMessages,
  PullMessage,
  TaskMessage,
  UnpackMessage,
} from './counts/channels.ts'
export { checkHost } from './doctor/check-host.ts'
export type { Finding } from './doctor/finding.ts'
export type { Exposition } from './metrics/exposition.ts'
export type { Server, ServerConfig } from './server.ts'
export { startServer } from './start.ts'
