import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '@nsbox/core/snapshots'
import { overlayMount } from '@nsbox/mount'
import type { SnapshotForm, SnapshotPlace } from '../snapshot-form.ts'
import { copyAttributes } from './attributes.ts'
import { resolveImpliedDirectories } from './implied-directories.ts'
import type { OverlaySupport } from './probe-overlay.ts'

const files = (path: string) => join(path, 'fs')

/**
 * Snapshots as layers of overlays: `fs` has a snapshot's own files, `work` is the kernel's. A view of others has neither.
 */
export function overlayForm({ options, opaqueAttribute }: OverlaySupport): SnapshotForm {
  return {
    files,
    opaqueAttribute,

    async create({ path, kind, parents }) {
      const [nearest] = parents
      if (kind === 'view' && nearest !== undefined) return
      await makeDirectory(files(path), 0o755)
      // In an overlay the root is the topmost layer's.
      if (nearest !== undefined) await copyAttributes(Buffer.from(files(nearest)), Buffer.from(files(path)))
      if (kind === 'active') await makeDirectory(join(path, 'work'), 0o711)
    },

    mounts({ path, kind, parents }: SnapshotPlace): Mount[] {
      const lower = parents.map(files)
      if (kind === 'active') {
        if (lower.length === 0) return [bind(files(path), 'rw')]
        return [overlayMount({ lower, upper: files(path), work: join(path, 'work') }, options)]
      }
      // The kernel wants two layers at least if none is to be written to.
      if (lower.length < 2) return [bind(lower[0] ?? files(path), 'ro')]
      return [overlayMount({ lower }, options)]
    },

    async rebase(path, parents, paths) {
      await resolveImpliedDirectories(files(path), { parents: parents.map(files), paths, opaqueAttribute })
    },
  }
}

/** A mode that does not depend on the process's umask. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode })
  await chmod(path, mode)
}

function bind(source: string, access: 'ro' | 'rw'): Mount {
  return { type: 'bind', source, options: [access, 'rbind'] }
}
