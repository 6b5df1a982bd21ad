import type { LocalPaths } from '@nsbox/core/content'
import type { Applier } from '@nsbox/core/diff'
import { type LayerWorkers, workerApplier } from '@nsbox/diff'
import { overlayLayers } from '@nsbox/mount'
import { resolveImpliedDirectories } from '@nsbox/snapshots'

/**
 * An applier of the blobs of one store, for snapshots that have their parents already: directories that a layer only
 * implies look at once as they do in the parents, so that whoever commits the snapshot need not know of them.
 */
export function localApplier(workers: LayerWorkers, content: Pick<LocalPaths, 'blobPath'>): Applier {
  const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
  return {
    async apply(layer, mounts, options = {}) {
      const applied = await applier.apply(layer, mounts, options)
      for (const mount of mounts) {
        const overlay = overlayLayers(mount)
        // Who applies without parents says at commit what the layer only implies.
        if (overlay?.upper === undefined || overlay.lower.length === 0) continue
        const opaqueAttribute = mount.options.includes('userxattr')
          ? 'user.overlay.opaque'
          : 'trusted.overlay.opaque'
        const implied = { parents: overlay.lower, paths: applied.implied, opaqueAttribute } as const
        await resolveImpliedDirectories(overlay.upper, implied, options)
      }
      return applied
    },
  }
}
