import { setTimeout as delay } from 'node:timers/promises'
import { NsboxError } from '@nsbox/errors'
import { UMOUNT } from '@nsbox/sys'
import type { UnmountOptions } from '../mount-platform.ts'
import { hasErrno, mountError } from './mount-error.ts'
import { mountsUnder } from './mount-table.ts'
import { resolvePlace } from './resolve-place.ts'
import { unmountAt } from './unmount-at.ts'
import { unmountTree } from './unmount-tree.ts'

const retryDelay = 20

/** Unmounts one mount, or all at and below a place, trying again while they are in use. */
export async function unmountOnLinux(target: string, options: UnmountOptions): Promise<void> {
  const { recursive = false, lazy = false, force = false, busyTimeout = 1000, signal } = options
  const context = `unmounting ${JSON.stringify(target)}`
  const flags = (lazy ? UMOUNT.DETACH : 0) | (force ? UMOUNT.FORCE : 0)
  const giveUp = performance.now() + busyTimeout
  try {
    const place = await resolvePlace(target, options.noFollow ?? false)
    if (place === undefined) return
    for (;;) {
      const failure = await (recursive ? unmountTree(place, flags) : unmountOne(place, flags))
      if (failure === undefined) return
      if (!hasErrno(failure, 'EBUSY') || performance.now() >= giveUp) throw failure
      await delay(retryDelay, undefined, { signal })
    }
  } catch (error) {
    // The mount exists, so this process may not unmount it, such as a part of a container's tree.
    if (hasErrno(error, 'EINVAL'))
      throw new NsboxError('failed_precondition', `${context}: the mount is locked`, { cause: error })
    throw mountError(error, context)
  }
}

/** @returns the error that stopped it, or undefined if it is unmounted or nothing was mounted */
async function unmountOne(place: string, flags: number): Promise<unknown> {
  try {
    await unmountAt(Buffer.from(place), flags)
    return undefined
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    // The kernel's error is the same for a place without a mount and for a mount that it does not release.
    const isMounted = async () => (await mountsUnder(place)).some(({ mountPoint }) => mountPoint === place)
    return hasErrno(error, 'EINVAL') && !(await isMounted()) ? undefined : error
  }
}
