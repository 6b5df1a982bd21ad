import { contentStoreSuite } from '@nsbox/core/content/testsuite'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { connect } from './client.ts'

let containerd: Containerd
let tests = 0

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

contentStoreSuite(
  'remote, of containerd 1.7',
  async () => {
    await using stack = new AsyncDisposableStack()
    const client = stack.use(connect({ address: containerd.address, namespace: `content-${tests++}` }))
    // What no lease holds may be collected at any time.
    const lease = stack.use(await client.createLease())
    const owned = stack.move()
    return { store: lease.client.content, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  },
  // Listed in the README.
  {
    sha512: false,
    totalMismatch: undefined,
    expectedInStatus: false,
    abortSparesWriters: false,
    labelCountLimit: false,
  },
)
