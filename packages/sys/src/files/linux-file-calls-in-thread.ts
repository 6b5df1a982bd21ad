import { endianness } from 'node:os'
import { linuxFunctionInThread } from '../linux-function.ts'
import type { FileCallsInThread } from './file-calls.ts'
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_CLOEXEC, SYS_openat2, statxMask } from './linux-file-flags.ts'

const low = endianness() === 'LE' ? 0 : 1

const openat2 = linuxFunctionInThread(
  'long syscall(long number, int fd, const void *path, const void *how, size_t size)',
)
const unlinkat = linuxFunctionInThread('int unlinkat(int fd, const void *path, int flags)')
const getdents64 = linuxFunctionInThread('long getdents64(int fd, void *into, size_t size)')
const statx = linuxFunctionInThread('int statx(int fd, const void *path, int flags, uint mask, void *into)')

/** The calls of Linux. Each has bytes of its own, since several may be under way. */
export const linuxFileCallsInThread: FileCallsInThread = {
  openat2(directory, name, flags, mode, resolve) {
    const how = new Uint32Array(6)
    how[low] = flags | O_CLOEXEC
    how[2 + low] = mode
    how[4 + low] = resolve
    const bytes = new Uint8Array(how.buffer)
    return openat2(SYS_openat2, directory, cString(name), bytes, bytes.length)
  },
  unlinkat: (directory, name, directoryItself) =>
    unlinkat(directory, cString(name), directoryItself ? AT_REMOVEDIR : 0),
  getdents64: (fd, into) => getdents64(fd, into, into.length),
  statx: (directory, name, into) => statx(directory, cString(name), AT_SYMLINK_NOFOLLOW, statxMask, into),
}

function cString(bytes: string): Uint8Array {
  if (bytes.includes('\0')) throw new TypeError('a name holds a NUL')
  return Buffer.from(`${bytes}\0`, 'latin1')
}
