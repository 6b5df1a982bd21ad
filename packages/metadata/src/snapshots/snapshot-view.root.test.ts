import { join } from 'node:path'
import { type SnapshotterClaims, snapshotterSuite } from '@nsbox/compliance/snapshots'
import { openContentStore } from '@nsbox/content'
import { withTempMount } from '@nsbox/mount'
import { openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openMetadata } from '../open-metadata.ts'

const copies: Partial<SnapshotterClaims> = { parentAtCommit: false, usageAlone: false }

describeWith({ root: true, linux: true }, 'namespaced view', () => {
  for (const [name, open, claims] of [
    ['overlayfs', openOverlaySnapshotter, {}],
    ['native', openNativeSnapshotter, copies],
  ] as const)
    snapshotterSuite(
      `namespaced view of ${name}`,
      async () => {
        await using stack = new AsyncDisposableStack()
        const { path } = stack.use(await scratchMount())
        const content = stack.use(await openContentStore({ root: join(path, 'content') }))
        const snapshotter = stack.use(await open({ root: join(path, name) }))
        const metadata = stack.use(
          await openMetadata({
            path: join(path, 'metadata.db'),
            content,
            snapshotters: new Map([[name, snapshotter]]),
            durability: 'relaxed',
            // Nothing holds the snapshots of the suite.
            collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
          }),
        )
        const owned = stack.move()
        return {
          snapshotter: metadata.namespace('suite').snapshotter(name),
          withMounts: withTempMount,
          [Symbol.asyncDispose]: () => owned.disposeAsync(),
        }
      },
      claims,
    )
})
