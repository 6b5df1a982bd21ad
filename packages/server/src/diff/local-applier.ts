import type { LocalPaths } from '@nsbox/core/content'
import type { Applier, DiffMount } from '@nsbox/core/diff'
import { type LayerWorkers, workerApplier } from '@nsbox/diff'
import { writtenTree } from '@nsbox/mount'
import { resolveImpliedDirectories } from '@nsbox/snapshots'
import { openSnapshot, syncDirectory } from './sync-snapshot.ts'

/** Layers of fewer bytes are written by the commit: asking for it costs more than it hastens. */
const largeLayer = 4 * 1024 * 1024

/** How to apply. */
export interface LocalApplierOptions {
  /**
   * Whether the disk begins to write a large layer as soon as it is applied, and not when its snapshot is committed, which may
   * have to wait for those below; the kernel by itself waits for half a minute or gigabytes. Not by default.
   */
  readonly writeEarly?: boolean | undefined
}

/**
 * An applier of the blobs of one store, for snapshots that have their parents already: directories that a layer only
 * implies look at once as they do in the parents, so that whoever commits the snapshot need not know of them.
 * Disposing of it waits for what it has begun to write early.
 */
export function localApplier(
  workers: LayerWorkers,
  content: Pick<LocalPaths, 'blobPath'>,
  { writeEarly = false }: LocalApplierOptions = {},
): Applier & AsyncDisposable {
  const writing = new Set<Promise<void>>()
  const beginToWrite = async (mounts: readonly DiffMount[]) => {
    // The paths hold for as long as the call.
    const directory = await openSnapshot(mounts)
    // What the disk does not take is told by the snapshotter's own sync, at the commit.
    const written = syncDirectory(directory)
      .catch(() => undefined)
      .finally(() => writing.delete(written))
    writing.add(written)
  }
  const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
  return {
    async apply(layer, mounts, options = {}) {
      const applied = await applier.apply(layer, mounts, options)
      const { directory, overlay } = writtenTree(mounts)
      // Who applies without parents says at commit what the layer only implies.
      if (overlay !== undefined && overlay.lower.length > 0) {
        const opaqueAttribute = overlay.userAttributes ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
        const implied = { parents: overlay.lower, paths: applied.implied, opaqueAttribute } as const
        await resolveImpliedDirectories(directory, implied, options)
      }
      if (writeEarly && applied.size >= largeLayer) await beginToWrite(mounts)
      return applied
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(writing)
    },
  }
}
