import { join } from 'node:path'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { withTempMount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'

describeWith({ root: true, linux: true }, 'overlay', () => {
  for (const [name, directory] of [
    ['overlay', 'snapshots'],
    ['overlay in a directory with an odd name', 'snapshots, a:b\\c'],
  ] as const) {
    snapshotterSuite(name, async () => {
      await using stack = new AsyncDisposableStack()
      const { path } = stack.use(await scratchMount())
      const snapshotter = stack.use(await openOverlaySnapshotter({ root: join(path, directory) }))
      const owned = stack.move()
      return { snapshotter, withMounts: withTempMount, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    })
  }
})
