export type { Server, ServerConfig } from './server.ts'
export { start } from './start.ts'
