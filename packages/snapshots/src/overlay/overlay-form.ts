import { join } from 'node:path'
import type { LayerDirectory, Mount } from '@nsbox/core/snapshots'
import { overlayMount } from '@nsbox/mount'
import { bindMount } from '../bind-mount.ts'
import { makeDirectory } from '../make-directory.ts'
import type { SnapshotForm, SnapshotPlace } from '../snapshot-form.ts'
import { copyDirectoryAttributes } from './attributes.ts'
import { resolveImpliedDirectories } from './implied-directories.ts'
import { LayerRoot } from './layer-root.ts'
import type { OverlaySupport } from './probe-overlay.ts'

/** A form in which layers can get their parents after they were written. */
export interface OverlayForm extends SnapshotForm {
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
  /** Gives a snapshot that was made without parents its parents. */
  rebase(path: string, parents: readonly string[], impliedDirectories: readonly string[]): Promise<void>
}

const files = (path: string) => join(path, 'fs')

/**
 * Snapshots as layers of overlays: `fs` has a snapshot's own files, `work` is the kernel's work directory of an active
 * snapshot with parents. A view has neither.
 */
export function overlayForm({ options, opaqueAttribute }: OverlaySupport): OverlayForm {
  return {
    files,
    opaqueAttribute,

    async create({ path, kind, parents }) {
      const [nearest] = parents
      if (kind === 'view' && nearest !== undefined) return 'empty'
      makeDirectory(files(path), 0o755)
      if (nearest === undefined) return 'empty'
      // In an overlay the root is the topmost layer's.
      using from = new LayerRoot(files(nearest))
      using to = new LayerRoot(files(path))
      copyDirectoryAttributes(from.fd, to.fd)
      makeDirectory(join(path, 'work'), 0o711)
      return 'empty'
    },

    mounts({ path, kind, parents }: SnapshotPlace): Mount[] {
      const lower = parents.map(files)
      if (kind === 'active') {
        if (lower.length === 0) return [bindMount(files(path), 'rw')]
        return [overlayMount({ lower, upper: files(path), work: join(path, 'work') }, options)]
      }
      // The kernel requires two layers at least for an overlay without an upper directory.
      if (lower.length < 2) return [bindMount(lower[0] ?? files(path), 'ro')]
      return [overlayMount({ lower }, options)]
    },

    async rebase(path, parents, paths) {
      await resolveImpliedDirectories(files(path), { parents: parents.map(files), paths, opaqueAttribute })
    },
  }
}
