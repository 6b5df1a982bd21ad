import { constants, endianness } from 'node:os'
import type { KoffiFunc } from 'koffi'
import { koffi } from '../libc.ts'
import { openAgain } from '../open-again.ts'
import type { FileCalls } from './file-calls.ts'
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_CLOEXEC, SYS_openat2, statxMask } from './linux-file-flags.ts'

const { EAGAIN, EINTR, ERANGE } = constants.errno
const CLONE_FS = 0x200
const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

type Argument = number | bigint | Uint8Array | Uint32Array | BigInt64Array | null

/** A call that returns the negated errno instead of -1; an interrupted call is made again. */
function declare(prototype: string): (...args: Argument[]) => number {
  let call: KoffiFunc<(...args: Argument[]) => number> | undefined
  return (...args) => {
    const ffi = koffi()
    call ??= ffi.load(null).func(prototype)
    for (;;) {
      const result: number = call(...args)
      if (result >= 0) return result
      const errno = ffi.errno()
      if (errno !== EINTR) return -errno
    }
  }
}

const openat2 = declare('long syscall(long number, int fd, const void *path, const void *how, size_t size)')
const mkdirat = declare('int mkdirat(int fd, const void *path, uint mode)')
const mknodat = declare('int mknodat(int fd, const void *path, uint mode, uint64_t device)')
const symlinkat = declare('int symlinkat(const void *target, int fd, const void *path)')
const linkat = declare('int linkat(int from, const void *path, int to, const void *name, int flags)')
const readlinkat = declare('long readlinkat(int fd, const void *path, void *into, size_t size)')
const unlinkat = declare('int unlinkat(int fd, const void *path, int flags)')
const fchown = declare('int fchown(int fd, uint uid, uint gid)')
const fchmod = declare('int fchmod(int fd, uint mode)')
const fchownat = declare('int fchownat(int fd, const void *path, uint uid, uint gid, int flags)')
const utimensat = declare('int utimensat(int fd, const void *path, const void *times, int flags)')
const futimens = declare('int futimens(int fd, const void *times)')
const fsetxattr = declare(
  'int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)',
)
const lsetxattr = declare(
  'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
)
const llistxattr = declare('long llistxattr(const void *path, void *list, size_t size)')
const lgetxattr = declare('long lgetxattr(const void *path, const void *name, void *value, size_t size)')
const getdents64 = declare('long getdents64(int fd, void *into, size_t size)')
const statx = declare('int statx(int fd, const void *path, int flags, uint mask, void *into)')
const lseek = declare('int64_t lseek(int fd, int64_t offset, int whence)')
const copyFileRange = declare(
  'long copy_file_range(int from, void *offset, int to, void *position, size_t length, uint flags)',
)
const unshare = declare('int unshare(int flags)')
const umask = declare('uint umask(uint mask)')

// All are read by the call and kept by nobody, so each thread has one. Numbers of 64 bits are put together of halves, since
// making a BigInt takes as long as a call.
const how = new Uint32Array(6)
const times = new Uint32Array(8)
/** Where the lower half of a number of 64 bits is. */
const low = endianness() === 'LE' ? 0 : 1
const texts = [Buffer.alloc(4096), Buffer.alloc(4096)] as const
const offsets = [new BigInt64Array(1), new BigInt64Array(1)] as const

/** The calls of Linux. */
export const linuxFileCalls: FileCalls = {
  openat2(directory, name, flags, mode, resolve) {
    how[low] = flags | O_CLOEXEC
    how[2 + low] = mode
    how[4 + low] = resolve
    const path = cString(name)
    return openAgain(
      () => openat2(SYS_openat2, directory, path, how, how.byteLength),
      (result) => result === -EAGAIN && resolve !== 0,
    )
  },
  mkdirat: (directory, name, mode) => mkdirat(directory, cString(name), mode),
  mknodat: (directory, name, mode, major, minor) =>
    mknodat(directory, cString(name), mode, deviceNumber(major, minor)),
  symlinkat: (target, directory, name) => symlinkat(cString(target, texts[1]), directory, cString(name)),
  linkat: (fromDirectory, from, toDirectory, to) =>
    linkat(fromDirectory, cString(from, texts[1]), toDirectory, cString(to), 0),
  targetOf(fd) {
    const into = Buffer.allocUnsafe(4096)
    const length = readlinkat(fd, cString(''), into, into.length)
    return length < 0 ? length : into.toString('latin1', 0, length)
  },
  unlinkat: (directory, name, directoryItself) =>
    unlinkat(directory, cString(name), directoryItself ? AT_REMOVEDIR : 0),
  fchown: (fd, uid, gid) => fchown(fd, uid, gid),
  fchmod: (fd, mode) => fchmod(fd, mode),
  fchownat: (directory, name, uid, gid) => fchownat(directory, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW),
  futimens: (fd, seconds, nanoseconds) => futimens(fd, bothTimes(seconds, nanoseconds)),
  utimensat: (directory, name, seconds, nanoseconds) =>
    utimensat(directory, cString(name), bothTimes(seconds, nanoseconds), AT_SYMLINK_NOFOLLOW),
  fsetxattr: (fd, attribute, value) => fsetxattr(fd, cString(attribute), value, value.length, 0),
  lsetxattr: (path, attribute, value) =>
    lsetxattr(cString(path), cString(attribute, texts[1]), value, value.length, 0),
  llistxattr(path) {
    const list = whole((buffer, size) => llistxattr(cString(path), buffer, size))
    return typeof list === 'number' ? list : list.toString('latin1').split('\0').slice(0, -1)
  },
  lgetxattr: (path, attribute) =>
    whole((buffer, size) => lgetxattr(cString(path), cString(attribute, texts[1]), buffer, size)),
  getdents64: (fd, into) => getdents64(fd, into, into.length),
  statx: (directory, name, into) => statx(directory, cString(name), AT_SYMLINK_NOFOLLOW, statxMask, into),
  seekEntry: (fd, position) => {
    const result = lseek(fd, position, SEEK_SET)
    return result < 0 ? result : 0
  },
  seekData: (fd, offset) => lseek(fd, offset, SEEK_DATA),
  seekHole: (fd, offset) => lseek(fd, offset, SEEK_HOLE),
  copyFileRange(from, fromOffset, to, toOffset, length) {
    const [source, target] = offsets
    source[0] = BigInt(fromOffset)
    target[0] = BigInt(toOffset)
    return copyFileRange(from, source, to, target, length, 0)
  },
  umaskOfThread(mask) {
    const unshared = unshare(CLONE_FS)
    if (unshared < 0) return unshared
    umask(mask)
    return 0
  },
}

/** @param into what it is written to, if it fits: valid until the next string is written there */
function cString(bytes: string, into: Buffer = texts[0]): Uint8Array {
  if (bytes.includes('\0')) throw new TypeError('a name holds a NUL')
  if (bytes.length >= into.length) return Buffer.from(`${bytes}\0`, 'latin1')
  into[into.write(bytes, 'latin1')] = 0
  return into
}

// dev_t as the C libraries of Linux put it together.
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  )
}

function bothTimes(seconds: number, nanoseconds: number): Uint32Array {
  for (const at of [0, 4]) {
    times[at + low] = seconds
    times[at + 1 - low] = Math.floor(seconds / 2 ** 32)
    times[at + 2 + low] = nanoseconds
  }
  return times
}

/** Reads a value whose size is unknown before: most are small, and none exceeds the kernel's 64 KiB. */
function whole(read: (buffer: Uint8Array | null, size: number) => number): Buffer | number {
  for (const size of [256, 65536]) {
    const buffer = Buffer.alloc(size)
    const length = read(buffer, size)
    if (length >= 0) return buffer.subarray(0, length)
    if (length !== -ERANGE) return length
  }
  return -ERANGE
}
