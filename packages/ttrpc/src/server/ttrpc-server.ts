import { createServer, type Server } from 'node:net'
import type { ImplementedService } from './implement-service.ts'
import { ServerConnection } from './server-connection.ts'

/** The most connections at a time: each shim has one. */
const maxConnections = 4096

/** A ttrpc server. Disposing of it ends all connections, and resolves once no call is under way. */
export interface TtrpcServer extends AsyncDisposable {
  /** Does not listen yet. */
  readonly server: Server
}

/**
 * Makes a server. Anyone who can open its socket may call it: there is no other access control. The memory of each
 * connection is bounded; a client that sends more has to wait.
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
