import { join } from 'node:path'
import { type CallOptions, Code, type ConnectError, createClient, type Transport } from '@connectrpc/connect'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from './grpc-call.ts'

/** What a test has of its server. */
export interface UsedServer {
  readonly resources: AsyncDisposableStack
  readonly root: string
  readonly server: Server
  /** Clients of the server, or of another one. */
  clients(server?: Server): ReturnType<typeof createClients>
}

/** A server for each test of a file; to be asked for within a test. */
export function useServer(): () => UsedServer {
  let used: UsedServer
  beforeEach(async () => {
    const resources = new AsyncDisposableStack()
    const root = join(resources.use(await tempDir('nsbox-start')).path, 'root')
    const own = resources.use(await startServer({ root, durability: 'relaxed' }))
    const clients = ({ address } = own) => {
      const client = socketTransport(address)
      resources.defer(() => client[Symbol.dispose]())
      return createClients(client.transport)
    }
    used = { resources, root, server: own, clients }
  })
  afterEach(() => used.resources.disposeAsync())
  return () => used
}

function createClients(transport: Transport) {
  return {
    namespaces: createClient(Namespaces, transport),
    content: createClient(Content, transport),
    images: createClient(Images, transport),
    leases: createClient(Leases, transport),
    events: createClient(Events, transport),
  }
}

export const inNamespace = (name: string): CallOptions => ({ headers: { 'containerd-namespace': name } })

/** The name of the code that a call fails with; `ok` if it does not. */
export const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: ConnectError) => Code[error.code],
  )

/** A target that an image may have. */
export const target = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: digestOf('x'),
  size: 1n,
}
