import { join } from 'node:path'
import { copyTreeInThread } from '@nsbox/trees'
import { bindMount } from '../bind-mount.ts'
import { makeDirectory } from '../make-directory.ts'
import type { SnapshotForm } from '../snapshot-form.ts'

const files = (path: string) => join(path, 'fs')

/** Snapshots as whole trees: `fs` begins as a copy of the parent's. A view shows the parent's own. */
export const nativeForm: SnapshotForm = {
  files,

  async create({ path, kind, parents: [parent] }, options) {
    if (parent === undefined) {
      makeDirectory(files(path), 0o755)
      return 'empty'
    }
    if (kind === 'view') return 'empty'
    makeDirectory(files(path), 0o700)
    await copyTreeInThread({ from: files(parent), to: files(path), scratch: join(path, 'links') }, options)
    return 'filled'
  },

  mounts({ path, kind, parents: [parent] }) {
    if (kind === 'active') return [bindMount(files(path), 'rw')]
    return [bindMount(files(parent ?? path), 'ro')]
  },
}
