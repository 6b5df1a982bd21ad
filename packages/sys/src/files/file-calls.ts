import { constants } from 'node:os'
import { CFunction, littleEndian } from '../c-function.ts'
import { openAgain } from '../open-again.ts'

const { ERANGE } = constants.errno
const O_CLOEXEC = 0o2000000
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
/** STATX_BASIC_STATS and STATX_MNT_ID. */
const statxMask = 0x7ff | 0x1000
const CLONE_FS = 0x200
const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

const openat2 = new CFunction('long openat2(int fd, const void *path, const void *how, size_t size)', {
  systemCall: 437,
})
const mkdirat = new CFunction('int mkdirat(int fd, const void *path, uint mode)')
const mknodat = new CFunction('int mknodat(int fd, const void *path, uint mode, uint64_t device)')
const symlinkat = new CFunction('int symlinkat(const void *target, int fd, const void *path)')
const linkat = new CFunction('int linkat(int from, const void *path, int to, const void *name, int flags)')
const readlinkat = new CFunction('long readlinkat(int fd, const void *path, void *into, size_t size)')
const unlinkat = new CFunction('int unlinkat(int fd, const void *path, int flags)')
const fchown = new CFunction('int fchown(int fd, uint uid, uint gid)')
const fchmod = new CFunction('int fchmod(int fd, uint mode)')
const fchownat = new CFunction('int fchownat(int fd, const void *path, uint uid, uint gid, int flags)')
const utimensat = new CFunction('int utimensat(int fd, const void *path, const void *times, int flags)')
const futimens = new CFunction('int futimens(int fd, const void *times)')
const fsetxattr = new CFunction(
  'int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)',
)
const lsetxattr = new CFunction(
  'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
)
const fremovexattr = new CFunction('int fremovexattr(int fd, const void *name)')
const llistxattr = new CFunction('long llistxattr(const void *path, void *list, size_t size)')
const lgetxattr = new CFunction(
  'long lgetxattr(const void *path, const void *name, void *value, size_t size)',
)
const getdents64 = new CFunction('long getdents64(int fd, void *into, size_t size)')
const statx = new CFunction('int statx(int fd, const void *path, int flags, uint mask, void *into)')
const lseek = new CFunction('int64_t lseek(int fd, int64_t offset, int whence)')
const copyFileRange = new CFunction(
  'long copy_file_range(int from, void *offset, int to, void *position, size_t length, uint flags)',
)
const unshare = new CFunction('int unshare(int flags)')
const umask = new CFunction('uint umask(uint mask)')

// Calls do not keep them, so each thread has one set. Numbers of 64 bits are written as halves, since making a BigInt
// takes as long as a call.
const how = new Uint32Array(6)
const times = new Uint32Array(8)
/** Index of the lower half of a number of 64 bits. */
const low = littleEndian ? 0 : 1
const texts = [Buffer.alloc(4096), Buffer.alloc(4096)] as const
const offsets = [new BigInt64Array(1), new BigInt64Array(1)] as const

/**
 * System calls that make and change files relative to open directories. All are synchronous.
 *
 * They return the result of the system call, a number of at least 0, or the negated errno (`-constants.errno.EEXIST` of
 * `node:os`): extracting a layer often meets expected failures, and an exception costs more than the call. On other
 * systems than Linux each throws `unimplemented`.
 *
 * A name is a string with one character per byte (`latin1`), so that it need not be UTF-8. It must not contain a NUL.
 */
export const fileCalls = {
  /**
   * openat2(2), Linux 5.6. `O_CLOEXEC` is added.
   * @param resolve of `RESOLVE`
   */
  openat2(directory: number, name: string, flags: number, mode: number, resolve: number): number {
    const path = cString(name)
    fillHow(how, flags, mode, resolve)
    const open = () => openat2.call(directory, path, how, how.byteLength)
    return resolve === 0 ? open() : openAgain(open)
  },
  mkdirat(directory: number, name: string, mode: number): number {
    return mkdirat.call(directory, cString(name), mode)
  },
  /** @param mode with the bits of the type, such as `S_IFIFO` of `node:fs` */
  mknodat(directory: number, name: string, mode: number, major: number, minor: number): number {
    return mknodat.call(directory, cString(name), mode, deviceNumber(major, minor))
  },
  symlinkat(target: string, directory: number, name: string): number {
    return symlinkat.call(cString(target, texts[1]), directory, cString(name))
  },
  /** Does not follow a symbolic link at the end of `from`, but links it. */
  linkat(fromDirectory: number, from: string, toDirectory: number, to: string): number {
    return linkat.call(fromDirectory, cString(from, texts[1]), toDirectory, cString(to), 0)
  },
  /**
   * The target of a symbolic link that is open by `O_PATH`, or the negated errno. It is that of the opened link, even
   * if its name is another file by now (readlinkat(2) with an empty name).
   */
  targetOf(fd: number): string | number {
    const into = Buffer.allocUnsafe(4096)
    const length = readlinkat.call(fd, cString(''), into, into.length)
    return length < 0 ? length : into.toString('latin1', 0, length)
  },
  /** @param directoryItself whether the name is of an empty directory */
  unlinkat(directory: number, name: string, directoryItself: boolean): number {
    return unlinkat.call(directory, cString(name), directoryItself ? AT_REMOVEDIR : 0)
  },
  fchown(fd: number, uid: number, gid: number): number {
    return fchown.call(fd, uid, gid)
  },
  fchmod(fd: number, mode: number): number {
    return fchmod.call(fd, mode)
  },
  /** Does not follow a symbolic link. */
  fchownat(directory: number, name: string, uid: number, gid: number): number {
    return fchownat.call(directory, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW)
  },
  /** Sets both times of an open file. */
  futimens(fd: number, seconds: number, nanoseconds: number): number {
    return futimens.call(fd, bothTimes(seconds, nanoseconds))
  },
  /** Sets both times. Does not follow a symbolic link. */
  utimensat(directory: number, name: string, seconds: number, nanoseconds: number): number {
    return utimensat.call(directory, cString(name), bothTimes(seconds, nanoseconds), AT_SYMLINK_NOFOLLOW)
  },
  fsetxattr(fd: number, attribute: string, value: Uint8Array): number {
    return fsetxattr.call(fd, cString(attribute), value, value.length, 0)
  },
  /** Does not follow a symbolic link in the last component. */
  lsetxattr(path: string, attribute: string, value: Uint8Array): number {
    return lsetxattr.call(cString(path), cString(attribute, texts[1]), value, value.length, 0)
  },
  fremovexattr(fd: number, attribute: string): number {
    return fremovexattr.call(fd, cString(attribute))
  },
  /** The names of a file's extended attributes, or the negated errno. Does not follow a symbolic link at the end. */
  llistxattr(path: string): readonly string[] | number {
    const list = whole((buffer, size) => llistxattr.call(cString(path), buffer, size))
    return typeof list === 'number' ? list : list.toString('latin1').split('\0').slice(0, -1)
  },
  /** The value of an extended attribute, or the negated errno. Does not follow a symbolic link at the end. */
  lgetxattr(path: string, attribute: string): Uint8Array | number {
    return whole((buffer, size) => lgetxattr.call(cString(path), cString(attribute, texts[1]), buffer, size))
  },
  /**
   * getdents64(2): the next entries of an open directory, in the kernel's format, which `TreeCursor` of `@nsbox/trees`
   * reads.
   * @param into at least 512 bytes, enough for any entry
   * @returns how many bytes were written; 0 at the end of the directory
   */
  getdents64(fd: number, into: Uint8Array): number {
    return getdents64.call(fd, into, into.length)
  },
  /**
   * statx(2) of the basic attributes and the id of the mount. Does not follow a symbolic link.
   * @param into 256 bytes
   */
  statx(directory: number, name: string, into: Uint8Array): number {
    return statx.call(directory, cString(name), AT_SYMLINK_NOFOLLOW, statxMask, into)
  },
  /** Makes the next `getdents64` begin at the position of an entry (`d_off`), or with 0n at the first entry. */
  seekEntry(fd: number, position: bigint): number {
    const result = lseek.call(fd, position, SEEK_SET)
    // Positions may exceed the range of a number.
    return result < 0 ? result : 0
  },
  /**
   * The offset of a file's next data at or after an offset, in bytes; `-ENXIO` if there are none. Moves the position of
   * the descriptor. File systems without knowledge of holes report only data.
   */
  seekData(fd: number, offset: number): number {
    return lseek.call(fd, offset, SEEK_DATA)
  },
  /** The offset of the next hole at or after an offset, in bytes: at most the end of the file. As `seekData`. */
  seekHole(fd: number, offset: number): number {
    return lseek.call(fd, offset, SEEK_HOLE)
  },
  /**
   * copy_file_range(2): copies bytes between files within the kernel, which shares the disk's blocks where the file
   * system can.
   * @returns how many it has copied, which may be fewer; 0 at the end of the file
   */
  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): number {
    const [source, target] = offsets
    source[0] = BigInt(fromOffset)
    target[0] = BigInt(toOffset)
    return copyFileRange.call(from, source, to, target, length, 0)
  },
  /**
   * Gives the calling thread, and programs that it starts, a umask of its own, and so a working directory of its own
   * (unshare(2) with `CLONE_FS`, which a container's seccomp profile may refuse). Other threads keep that of the
   * process.
   */
  umaskOfThread(mask: number): number {
    const unshared = unshare.call(CLONE_FS)
    if (unshared < 0) return unshared
    umask.call(mask)
    return 0
  },
}

/** The calls of `fileCalls`. */
export type FileCalls = typeof fileCalls

/**
 * Calls that may wait long for a disk, each made in a thread of libuv's pool. The bytes must not change meanwhile, and
 * each call needs its own, since several may be running.
 */
export const fileCallsInThread: {
  readonly [Call in 'openat2' | 'unlinkat' | 'getdents64' | 'statx']: (
    ...args: Parameters<FileCalls[Call]>
  ) => Promise<number>
} = {
  openat2(directory, name, flags, mode, resolve) {
    const how = fillHow(new Uint32Array(6), flags, mode, resolve)
    return openat2.callInThread(directory, ownCString(name), how, how.byteLength)
  },
  unlinkat: (directory, name, directoryItself) =>
    unlinkat.callInThread(directory, ownCString(name), directoryItself ? AT_REMOVEDIR : 0),
  getdents64: (fd, into) => getdents64.callInThread(fd, into, into.length),
  statx: (directory, name, into) =>
    statx.callInThread(directory, ownCString(name), AT_SYMLINK_NOFOLLOW, statxMask, into),
}

/** @param into buffer for the text, if it fits: valid until the next text is written there */
function cString(bytes: string, into: Buffer = texts[0]): Uint8Array {
  if (bytes.includes('\0')) throw new TypeError('a name holds a NUL')
  if (bytes.length >= into.length) return Buffer.from(`${bytes}\0`, 'latin1')
  into[into.write(bytes, 'latin1')] = 0
  return into
}

function ownCString(bytes: string): Uint8Array {
  return cString(bytes, Buffer.allocUnsafe(bytes.length + 1))
}

/** Fills a struct open_how (openat2(2)). */
function fillHow(how: Uint32Array, flags: number, mode: number, resolve: number): Uint32Array {
  how[low] = flags | O_CLOEXEC
  how[2 + low] = mode
  how[4 + low] = resolve
  return how
}

// dev_t in the layout of Linux's C libraries.
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

/** Reads a value of unknown size: most are small, and none exceeds the kernel's 64 KiB. */
function whole(read: (buffer: Uint8Array | null, size: number) => number): Buffer | number {
  for (const size of [256, 65536]) {
    const buffer = Buffer.alloc(size)
    const length = read(buffer, size)
    if (length >= 0) return buffer.subarray(0, length)
    if (length !== -ERANGE) return length
  }
  return -ERANGE
}
