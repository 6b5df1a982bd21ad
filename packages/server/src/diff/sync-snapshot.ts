import { type FileHandle, open } from 'node:fs/promises'
import type { DiffMount } from '@nsbox/core/diff'
import { layerTarget } from '@nsbox/diff'
import { fromSystemError } from '@nsbox/errors'
import { readTreeMount } from '@nsbox/mount'
import { syncfs } from '@nsbox/sys'

/**
 * Syncs the file system of a snapshot, for a client that asks for it. A commit does so anyway, unless durability is
 * `relaxed`.
 *
 * @throws `data_loss` or `resource_exhausted` if the disk fails or is full
 */
export async function syncSnapshot(mounts: readonly DiffMount[]): Promise<void> {
  const [mount] = mounts
  // One of a file system of its own was written out as it was unmounted.
  if (mount !== undefined && readTreeMount(mount) === undefined) return
  await syncDirectory(await openSnapshot(mounts))
}

/** Opens the directory that a snapshot's mounts write to. */
export async function openSnapshot(mounts: readonly DiffMount[]): Promise<FileHandle> {
  const { root } = layerTarget(mounts)
  try {
    return await open(root, 'r')
  } catch (error) {
    throw fromSystemError(error, `syncing ${root}`)
  }
}

/** As `syncSnapshot`, for an open directory, which is closed. */
export async function syncDirectory(directory: FileHandle): Promise<void> {
  try {
    await using open = directory
    await syncfs(open.fd)
  } catch (error) {
    throw fromSystemError(error, 'syncing a snapshot')
  }
}
