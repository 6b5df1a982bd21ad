import type { LocalPaths } from '@nsbox/core/content'
import type { Applier, DiffMount } from '@nsbox/core/diff'
import { type LayerWorkers, type WorkerApplierOptions, workerApplier } from '@nsbox/diff'
import { writtenTree } from '@nsbox/mount'
import { resolveImpliedDirectories } from '@nsbox/snapshots'
import { openSnapshot, syncDirectory } from './sync-snapshot.ts'

/** Smaller layers are written back by the commit: starting that early costs more than it saves. */
const largeLayer = 4 * 1024 * 1024

/** How to apply. */
export interface LocalApplierOptions {
  /**
   * Whether write-back of a large layer starts as soon as it is applied, and not only when its snapshot is committed,
   * which may have to wait for its parents. The kernel by itself waits for half a minute or gigabytes. False by
   * default.
   */
  readonly writeEarly?: boolean | undefined
  /** As in `WorkerApplierOptions`. */
  readonly onSkipped?: WorkerApplierOptions['onSkipped']
}

/**
 * An applier of the blobs of one store, for snapshots that have their parents already: directories that a layer only
 * implies get the attributes of the parents at once, so the commit need not know of them. Disposing of it waits for
 * early write-back.
 */
export function localApplier(
  workers: LayerWorkers,
  content: Pick<LocalPaths, 'blobPath'>,
  { writeEarly = false, onSkipped }: LocalApplierOptions = {},
): Applier & AsyncDisposable {
  const writing = new Set<Promise<void>>()
  const beginToWrite = async (mounts: readonly DiffMount[]) => {
    // The paths are valid during the call.
    const directory = await openSnapshot(mounts)
    // Errors of the disk are reported by the snapshotter's own sync, at the commit.
    const written = syncDirectory(directory)
      .catch(() => undefined)
      .finally(() => writing.delete(written))
    writing.add(written)
  }
  const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest), onSkipped })
  return {
    async apply(layer, mounts, options = {}) {
      const applied = await applier.apply(layer, mounts, options)
      const { directory, overlay } = writtenTree(mounts)
      // A snapshot without parents gets its implied directories at commit.
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
