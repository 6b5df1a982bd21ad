import { join } from 'node:path'
import { type ClientView, connect } from '@nsbox/client'
import { containerStoreSuite } from '@nsbox/compliance/containers'
import { contentStoreSuite } from '@nsbox/compliance/content'
import { eventBusSuite } from '@nsbox/compliance/events'
import { imageStoreSuite } from '@nsbox/compliance/images'
import { leaseStoreSuite } from '@nsbox/compliance/leases'
import { namespaceStoreSuite } from '@nsbox/compliance/namespaces'
import { digestOf } from '@nsbox/oci'
import { startServer } from '@nsbox/server'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'

interface Served extends AsyncDisposable {
  readonly address: string
}

async function serve(): Promise<Served> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-suite'))
  const { address } = opening.use(
    await startServer({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
  )
  const owned = opening.move()
  return { address, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

interface Behind extends AsyncDisposable {
  readonly client: ClientView
}

let shared: Served
let namespaces = 0
beforeAll(async () => {
  shared = await serve()
})
afterAll(() => shared[Symbol.asyncDispose]())

/** A client of one server for all, in a namespace of its own. */
async function inNamespace(): Promise<Behind> {
  const client = connect({ address: shared.address, namespace: `suite-${namespaces++}` })
  return { client, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}

/** A client of a server of its own, for what goes beyond namespaces. */
async function behindServer(): Promise<Behind> {
  await using opening = new AsyncDisposableStack()
  const { address } = opening.use(await serve())
  const client = opening.use(connect({ address, namespace: 'suite' }))
  const owned = opening.move()
  return { client, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

eventBusSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
  return { ...owned, bus: client.events }
})

contentStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await inNamespace()
  // What no lease holds may be collected at any time. The server's end takes it away.
  const lease = await client.createLease()
  return { ...owned, store: lease.client.content }
})

imageStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await inNamespace()
  return { ...owned, store: client.images }
})

containerStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await inNamespace()
  return { ...owned, store: client.containers }
})

leaseStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await inNamespace()
  return { ...owned, store: client.leases }
})

namespaceStoreSuite(
  'remote, of nsbox-server',
  async () => {
    const { client, ...owned } = await behindServer()
    const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1 }
    return {
      ...owned,
      store: client.namespaces,
      fill: async (name) => void (await client.withNamespace(name).images.create({ name: 'x', target })),
      empty: (name) => client.withNamespace(name).images.delete('x'),
    }
  },
  // On the wire, a namespace that does not exist is one without labels.
  { knowsMissing: false },
)
