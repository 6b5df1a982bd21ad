import { rmdirSync } from 'node:fs'
import type { Mount } from '@nsbox/core/snapshots'
import { isErrno, NsboxError } from '@nsbox/errors'
import { mountAll, parseMountOptions, unmount } from '@nsbox/mount'
import { removeTree } from '@nsbox/trees'

/** Milliseconds that a mount may stay in use by a process that is about to end. */
const busyTimeout = 300

/**
 * Mounts a root file system, all or nothing. Targets of single mounts are found within it. Later mounts in it do not
 * propagate to the source of a bind mount, or back, unless the mount asks for that.
 *
 * @throws as `mountAll`
 */
export async function mountRootfs(
  mounts: readonly Mount[],
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await mountAll(mounts.map(withoutPropagation), path, options)
}

function withoutPropagation(mount: Mount): Mount {
  const { propagation, remount, bind } = parseMountOptions(mount.options)
  if (remount || propagation !== undefined) return mount
  return { ...mount, options: [...mount.options, bind === 'recursive' ? 'rprivate' : 'private'] }
}

/**
 * Unmounts a root file system and removes the directory it was mounted on, as far as either exists. A mount in use by a
 * process of the host is detached, and ends with that process.
 *
 * The directory is removed by rmdir(2), which fails for a mount point: so no file of the root file system is ever
 * removed.
 */
export async function removeRootfs(path: string): Promise<void> {
  const attempts = [
    { busyTimeout: 0 },
    { recursive: true, busyTimeout },
    { recursive: true, busyTimeout: 0, lazy: true },
  ]
  for (const attempt of [...attempts, undefined]) {
    try {
      rmdirSync(path)
      return
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return
      // Mount points that a runtime made where nothing was mounted.
      if (isErrno(error, 'ENOTEMPTY')) return removeTree(path)
      if (!isErrno(error, 'EBUSY') || attempt === undefined) throw error
    }
    try {
      await unmount(path, { noFollow: true, ...attempt })
    } catch (error) {
      if (!isBusy(error) || attempt.lazy === true) throw error
    }
  }
}

const isBusy = (error: unknown) =>
  error instanceof NsboxError ? error.code === 'failed_precondition' : isErrno(error, 'EBUSY')
