import { constants } from 'node:fs'
import { fileCalls, fileCallsInThread, opened, RESOLVE } from '@nsbox/sys/files'
import { AT_FDCWD } from '@nsbox/sys/mount-flags'
import type { DiskCall } from './walk.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW

/** The resolution of names in a tree: in the open directory itself, on the same mount. */
const inDirectory = RESOLVE.BENEATH | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_SYMLINKS

/** Opens a directory by its name in an open one. `-EXDEV` for a mount; `-ELOOP` or `-ENOTDIR` for a symbolic link. */
export function openDirectory(directory: number, name: string): DiskCall {
  return opening(directory, name, inDirectory)
}

/** Opens the current parent of an open directory. */
export function openParent(directory: number): DiskCall {
  return opening(directory, '..', RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_SYMLINKS)
}

/** Opens a directory by a path that nobody else can change. Symbolic links are followed but for the last component. */
export function openRoot(path: string): DiskCall {
  return opening(AT_FDCWD, Buffer.from(path).toString('latin1'), 0)
}

function opening(directory: number, name: string, resolve: number): DiskCall {
  return {
    now: () => noted(fileCalls.openat2(directory, name, flags, 0, resolve)),
    inThread: async () => noted(await fileCallsInThread.openat2(directory, name, flags, 0, resolve)),
  }
}

function noted(fd: number): number {
  return fd < 0 ? fd : opened(fd)
}

/** Removes a name of anything but a directory. `-EISDIR` for a directory, on some file systems `-EPERM`. */
export function unlink(directory: number, name: string): DiskCall {
  return unlinking(directory, name, false)
}

/** Removes an empty directory. */
export function removeDirectory(directory: number, name: string): DiskCall {
  return unlinking(directory, name, true)
}

function unlinking(directory: number, name: string, directoryItself: boolean): DiskCall {
  return {
    now: () => fileCalls.unlinkat(directory, name, directoryItself),
    inThread: () => fileCallsInThread.unlinkat(directory, name, directoryItself),
  }
}

/** Reads the next entries of an open directory. */
export function readEntries(fd: number, into: Uint8Array): DiskCall {
  return {
    now: () => fileCalls.getdents64(fd, into),
    inThread: () => fileCallsInThread.getdents64(fd, into),
  }
}

/** Stats a name in an open directory, without following links; `.` is the directory itself. */
export function stat(directory: number, name: string, into: Uint8Array): DiskCall {
  return {
    now: () => fileCalls.statx(directory, name, into),
    inThread: () => fileCallsInThread.statx(directory, name, into),
  }
}
