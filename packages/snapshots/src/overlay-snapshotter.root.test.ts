import { snapshotterSuite } from '@nsbox/core/snapshots/testsuite'
import { withTempMount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'

describeWith({ root: true, linux: true }, 'overlay', () => {
  snapshotterSuite('overlay', async () => {
    const scratch = await scratchMount()
    const snapshotter = await openOverlaySnapshotter({ root: `${scratch.path}/snapshots, a:b\\c` })
    return {
      snapshotter,
      withMounts: withTempMount,
      async [Symbol.asyncDispose]() {
        await snapshotter[Symbol.asyncDispose]()
        await scratch[Symbol.asyncDispose]()
      },
    }
  })
})
