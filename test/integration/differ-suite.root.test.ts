import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { differSuite } from '@nsbox/compliance/diff'
import { withTempMount } from '@nsbox/mount'
import { start } from '@nsbox/server'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'

describeWith({ root: true, linux: true }, 'over the socket', () => {
  const all = new AsyncDisposableStack()
  let address: string
  let namespaces = 0

  // One for all tests, whose threads start once.
  beforeAll(async () => {
    const { path } = all.use(await scratchMount())
    const places = { root: join(path, 'root'), state: join(path, 'state') }
    const server = all.use(await start({ ...places, durability: 'relaxed' }))
    address = server.address
  })
  afterAll(() => all.disposeAsync())

  for (const snapshotter of ['overlayfs', 'native']) {
    differSuite(`nsbox-server with ${snapshotter}`, async () => {
      await using stack = new AsyncDisposableStack()
      const client = stack.use(connect({ address, namespace: `suite-${namespaces++}` }))
      // What no lease holds may be collected at any time.
      const { client: view } = stack.use(await client.createLease())
      const owned = stack.move()
      return {
        applier: view.applier,
        comparer: view.comparer,
        content: view.content,
        snapshotter: view.snapshotter(snapshotter),
        withMounts: withTempMount,
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      }
    })
  }
})
