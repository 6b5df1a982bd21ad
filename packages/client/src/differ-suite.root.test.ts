import { differSuite } from '@nsbox/core/diff/testsuite'
import { withTempMount } from '@nsbox/mount'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { connect } from './client.ts'

describeWith({ root: true, linux: true, programs: ['containerd'] }, 'remote', () => {
  let containerd: Containerd
  let namespaces = 0

  beforeAll(async () => {
    containerd = await startContainerd()
  })
  afterAll(() => containerd?.[Symbol.asyncDispose]())

  differSuite(
    'containerd 1.7',
    async () => {
      await using stack = new AsyncDisposableStack()
      const namespace = `differ-${namespaces++}`
      const client = stack.use(connect({ address: containerd.address, namespace }))
      const { client: view } = stack.use(await client.createLease())
      const owned = stack.move()
      return {
        content: view.content,
        applier: view.applier,
        comparer: view.comparer,
        snapshotter: view.snapshotter(),
        withMounts: withTempMount,
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      }
    },
    // What the claims say is listed in the README.
    {
      fractions: false,
      rootAttributes: false,
      sameBytes: false,
      allMediaTypes: false,
      labelsOfExisting: false,
      checkedLayers: false,
      refusesNames: false,
    },
  )
})
