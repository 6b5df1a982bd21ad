import { join } from 'node:path'
import { type ClientView, connect } from '@nsbox/client'
import { containerStoreSuite } from '@nsbox/compliance/containers'
import { contentStoreSuite } from '@nsbox/compliance/content'
import { eventBusSuite } from '@nsbox/compliance/events'
import { imageStoreSuite } from '@nsbox/compliance/images'
import { leaseStoreSuite } from '@nsbox/compliance/leases'
import { namespaceStoreSuite } from '@nsbox/compliance/namespaces'
import { digestOf } from '@nsbox/oci'
import { start } from '@nsbox/server'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** A client of a server of its own. */
async function behindServer(): Promise<{ client: ClientView } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-suite'))
  const server = opening.use(
    await start({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
  )
  const client = opening.use(connect({ address: server.address, namespace: 'suite' }))
  const owned = opening.move()
  return { client, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

eventBusSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
  return { ...owned, bus: client.events }
})

contentStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
  // What no lease holds may be collected at any time. The server's end takes it away.
  const lease = await client.createLease()
  return { ...owned, store: lease.client.content }
})

imageStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
  return { ...owned, store: client.images }
})

containerStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
  return { ...owned, store: client.containers }
})

leaseStoreSuite('remote, of nsbox-server', async () => {
  const { client, ...owned } = await behindServer()
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
