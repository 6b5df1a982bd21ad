import { join } from 'node:path'
import { type ClientView, connect } from '@nsbox/client'
import { contentStoreSuite } from '@nsbox/core/content/testsuite'
import { imageStoreSuite } from '@nsbox/core/images/testsuite'
import { leaseStoreSuite } from '@nsbox/core/leases/testsuite'
import { namespaceStoreSuite } from '@nsbox/namespaces/testsuite'
import { start } from '@nsbox/server'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** A store behind a server of its own, seen through a client. */
async function behindServer<T>(choose: (client: ClientView) => T): Promise<{ store: T } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-suite'))
  const server = opening.use(
    await start({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
  )
  const client = opening.use(connect({ address: server.address, namespace: 'suite' }))
  // What no lease holds may be collected at any time.
  const lease = opening.use(await client.createLease())
  const owned = opening.move()
  return { store: choose(lease.client), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

contentStoreSuite('remote, of nsbox-server', () => behindServer(({ content }) => content))
imageStoreSuite('remote, of nsbox-server', () => behindServer(({ images }) => images))
leaseStoreSuite('remote, of nsbox-server', () => behindServer(({ leases }) => leases))
namespaceStoreSuite('remote, of nsbox-server', () => behindServer(({ namespaces }) => namespaces))
