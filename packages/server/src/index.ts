export type { ProxyPlugin, ProxyPluginType } from './configuration/proxy-plugin.ts'
export {
  type Configuration,
  type ConfigurationSources,
  readConfiguration,
} from './configuration/read-configuration.ts'
export { checkHost } from './doctor/check-host.ts'
export type { Finding } from './doctor/finding.ts'
export type { Server, ServerConfig } from './server.ts'
export { startServer } from './start.ts'
