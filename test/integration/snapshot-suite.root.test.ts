import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { withTempMount } from '@nsbox/mount'
import { startServer } from '@nsbox/server'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'

describeWith({ root: true, linux: true }, 'over the socket', () => {
  const all = new AsyncDisposableStack()
  let address: string
  let namespaces = 0

  beforeAll(async () => {
    const { path } = all.use(await scratchMount())
    const places = { root: join(path, 'root'), state: join(path, 'state') }
    const server = all.use(await start({ ...places, durability: 'relaxed' }))
    address = server.address
  })
  afterAll(() => all.disposeAsync())

  for (const [name, claims] of [
    ['overlayfs', {}],
    ['native', { parentAtCommit: false, usageAlone: false }],
  ] as const) {
    const create = async () => {
      await using opening = new AsyncDisposableStack()
      const client = opening.use(connect({ address, namespace: `suite-${namespaces++}` }))
      // What no lease holds may be collected at any time. The server's end takes it away.
      const lease = await client.createLease()
      const snapshotter = lease.client.snapshotter(name)
      const owned = opening.move()
      return { snapshotter, withMounts: withTempMount, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    }
    snapshotterSuite(`${name} of nsbox-server`, create, claims)
  }
})
