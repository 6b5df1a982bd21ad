import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { snapshotterSuite } from '@nsbox/core/snapshots/testsuite'
import { withTempMount } from '@nsbox/mount'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openMetadata } from '../open-metadata.ts'

describeWith({ root: true, linux: true }, 'namespaced view of overlays', () => {
  snapshotterSuite('namespaced view', async () => {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(await scratchMount())
    const content = stack.use(await openContentStore({ root: join(path, 'content') }))
    const overlayfs = stack.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs') }))
    const metadata = stack.use(
      await openMetadata({
        path: join(path, 'metadata.db'),
        content,
        snapshotters: new Map([['overlayfs', overlayfs]]),
        durability: 'relaxed',
        // Nothing holds the snapshots of the suite.
        collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
      }),
    )
    const owned = stack.move()
    return {
      snapshotter: metadata.namespace('suite').snapshotter('overlayfs'),
      withMounts: withTempMount,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  })
})
