import { open } from 'node:fs/promises'
import type { DiffMount } from '@nsbox/core/diff'
import { layerTarget } from '@nsbox/diff'
import { fromSystemError } from '@nsbox/errors'
import { syncfs } from '@nsbox/sys'

/**
 * Brings the files of a snapshot to the disk, along with whatever else its file system has not written. A commit does so
 * anyway, unless durability is `relaxed`; this is for a client that asks for it.
 *
 * @throws `data_loss` or `resource_exhausted` if the disk does not take them
 */
export async function syncSnapshot(mounts: readonly DiffMount[]): Promise<void> {
  const { root } = layerTarget(mounts)
  try {
    await using directory = await open(root, 'r')
    await syncfs(directory.fd)
  } catch (error) {
    throw fromSystemError(error, `syncing ${root}`)
  }
}
