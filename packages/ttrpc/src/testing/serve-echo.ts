import { once } from 'node:events'
import { join } from 'node:path'
import { type Client, createClient, type ServiceImpl } from '@connectrpc/connect'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { connectTtrpc, type TtrpcConnection } from '../client/connect-ttrpc.ts'
import { implementService } from '../server/implement-service.ts'
import { createTtrpcServer } from '../server/ttrpc-server.ts'
import { Echo } from './echo-service.ts'

/** A served echo service, and a client of it. */
export interface ServedEcho extends AsyncDisposable {
  /** The server's socket. */
  readonly path: string
  readonly connection: TtrpcConnection
  readonly client: Client<typeof Echo>
  /** Ends the server. */
  stop(): Promise<void>
}

/** Serves an implementation of the echo service. */
export async function serveEcho(implementation: Partial<ServiceImpl<typeof Echo>>): Promise<ServedEcho> {
  await using opening = new AsyncDisposableStack()
  const path = join(opening.use(await tempDir('nsbox-ttrpc')).path, 'socket')
  const served = opening.use(createTtrpcServer([implementService(Echo, implementation)]))
  served.server.listen(path)
  await once(served.server, 'listening')
  const connection = opening.use(await connectTtrpc(path))
  const owned = opening.move()
  return {
    path,
    connection,
    client: createClient(Echo, connection.transport),
    stop: async () => await served[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
