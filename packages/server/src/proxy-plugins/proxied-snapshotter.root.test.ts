import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { withTempMount } from '@nsbox/mount'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { startServer } from '../start.ts'
import { serveSnapshotter } from '../testing/snapshotter-plugin.ts'

describeWith({ root: true, linux: true }, 'a snapshotter of another process', () => {
  const all = new AsyncDisposableStack()
  let address: string
  let namespaces = 0

  beforeAll(async () => {
    const { path } = all.use(await scratchMount())
    const durability = 'relaxed'
    const overlay = all.use(await openOverlaySnapshotter({ root: join(path, 'plugin'), durability }))
    const plugin = all.use(await serveSnapshotter(overlay))
    const proxyPlugins = [
      { name: 'other', type: 'snapshot', address: plugin.address, capabilities: ['rebase'] },
    ] as const
    const places = { root: join(path, 'root'), state: join(path, 'state') }
    const server = all.use(await startServer({ ...places, durability, proxyPlugins }))
    address = server.address
  })
  afterAll(() => all.disposeAsync())

  const create = async () => {
    await using opening = new AsyncDisposableStack()
    const client = opening.use(connect({ address, namespace: `suite-${namespaces++}` }))
    const lease = await client.createLease()
    const snapshotter = lease.client.snapshotter('other')
    const owned = opening.move()
    return { snapshotter, withMounts: withTempMount, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }
  snapshotterSuite('through a server', create)
})
