import { createServer, type Server } from 'node:net'
import type { ImplementedService } from './implement-service.ts'
import { ServerConnection } from './server-connection.ts'

/** The most connections at a time: each shim has one. */
const maxConnections = 4096

/** A ttrpc server. Disposing of it ends all connections, and resolves once no call is under way. */
export interface TtrpcServer extends AsyncDisposable {
  /** Not listening yet. */
  readonly server: Server
}

/**
 * Makes a server. Who may connect is decided by where it listens; there is nothing else that could tell. What one
 * connection has in memory is bounded, and who sends more waits.
 */
export function createTtrpcServer(services: readonly ImplementedService[]): TtrpcServer {
  const byName = new Map(services.map((service) => [service.name, service]))
  const connections = new Set<ServerConnection>()
  const server = createServer((socket) => {
    const connection = new ServerConnection(socket, byName)
    connections.add(connection)
    void connection.ended.then(() => connections.delete(connection))
  })
  server.maxConnections = maxConnections
  return {
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.all([...connections].map((connection) => connection.close()))
      await closed
    },
  }
}
