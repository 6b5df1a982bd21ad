export type { ProxyPlugin, ProxyPluginType } from './configuration/proxy-plugin.ts'
export {
  type Configuration,
  type ConfigurationSources,
  readConfiguration,
} from './configuration/read-configuration.ts'
export type { Server, ServerConfig } from './server.ts'
export { startServer } from './start.ts'
