import { rmdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Mount } from '@nsbox/core/snapshots'
import { isErrno, NsboxError } from '@nsbox/errors'
import { listMounts, mountAll, parseMountOptions, unmount } from '@nsbox/mount'
import { removeTree } from '@nsbox/trees'

/** Milliseconds that a mount may stay in use by a process that is about to end. */
const busyTimeout = 300

/**
 * Milliseconds that a copy of the mount may exist elsewhere. A recursive bind mount of a directory above copies it,
 * which runc's `restore` makes in the host's mount namespace for a moment, of each bind mount of the container.
 */
const copyTimeout = 2000

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
  for (const attempt of attempts) {
    if (await removeDirectory(path)) return
    try {
      await unmount(path, { noFollow: true, ...attempt })
    } catch (error) {
      if (!isBusy(error) || attempt.lazy === true) throw error
    }
  }
  const giveUp = performance.now() + copyTimeout
  while (!(await removeDirectory(path))) {
    if (performance.now() >= giveUp) throw await mountedElsewhere(path)
    await delay(copyTimeout / 100)
  }
}

/** @returns whether it is gone; it is not while it is a mount point anywhere in this mount namespace */
async function removeDirectory(path: string): Promise<boolean> {
  try {
    rmdirSync(path)
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return false
    // Mount points that a runtime made where nothing was mounted.
    if (isErrno(error, 'ENOTEMPTY')) await removeTree(path)
    else if (!isErrno(error, 'ENOENT')) throw error
  }
  return true
}

/** Says where a directory is seen that nothing is mounted on by its own path. */
async function mountedElsewhere(path: string): Promise<NsboxError> {
  const end = `/${basename(dirname(path))}/${basename(path)}`
  const places = (await listMounts()).filter(({ mountPoint }) => mountPoint.endsWith(end))
  const seen = places.slice(0, 3).map(({ mountPoint }) => JSON.stringify(mountPoint))
  return new NsboxError(
    'failed_precondition',
    `${JSON.stringify(path)} is a mount point of another mount${seen.length > 0 ? `: ${seen.join(', ')}` : ''}`,
  )
}

const isBusy = (error: unknown) =>
  error instanceof NsboxError ? error.code === 'failed_precondition' : isErrno(error, 'EBUSY')
