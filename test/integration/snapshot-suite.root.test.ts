import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { withTempMount } from '@nsbox/mount'
import { start } from '@nsbox/server'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

describeWith({ root: true, linux: true }, 'over the socket', () => {
  for (const [name, claims] of [
    ['overlayfs', {}],
    ['native', { parentAtCommit: false, usageAlone: false }],
  ] as const) {
    const create = async () => {
      await using opening = new AsyncDisposableStack()
      const { path } = opening.use(await scratchMount())
      const server = opening.use(
        await start({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
      )
      const client = opening.use(connect({ address: server.address, namespace: 'suite' }))
      // What no lease holds may be collected at any time. The server's end takes it away.
      const lease = await client.createLease()
      const snapshotter = lease.client.snapshotter(name)
      const owned = opening.move()
      return { snapshotter, withMounts: withTempMount, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    }
    snapshotterSuite(`${name} of nsbox-server`, create, claims)
  }
})
