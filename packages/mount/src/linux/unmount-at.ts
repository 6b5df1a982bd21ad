import { constants } from 'node:fs'
import { AT_FDCWD, O_PATH, openat2, RESOLVE, UMOUNT, umount2 } from '@nsbox/sys'
import { hasErrno } from './mount-error.ts'
import { type OwnedDescriptor, ownedDescriptor } from './owned-descriptor.ts'

const slash = 47

/**
 * umount2(2) of the topmost mount at an absolute path without symbolic links. If a link replaces a component meanwhile,
 * the call fails instead of following it to a mount elsewhere.
 */
export async function unmountAt(path: Uint8Array, flags: number): Promise<void> {
  const last = path.lastIndexOf(slash)
  // The parent, not the mount itself: that would then be in use.
  using parent = openDirectory(last <= 0 ? Buffer.from('/') : path.subarray(0, last))
  const name = path.subarray(last + 1)
  const exact =
    parent === undefined || name.length === 0 ? path : Buffer.concat([Buffer.from(`${parent.path}/`), name])
  await umount2(exact, flags | UMOUNT.NOFOLLOW)
}

/** Undefined if the kernel lacks the call (before Linux 5.6); then the path is used directly. */
function openDirectory(path: Uint8Array): OwnedDescriptor | undefined {
  try {
    return ownedDescriptor(openat2(AT_FDCWD, path, O_PATH | constants.O_DIRECTORY, RESOLVE.NO_SYMLINKS))
  } catch (error) {
    if (hasErrno(error, 'ENOSYS')) return undefined
    throw error
  }
}
