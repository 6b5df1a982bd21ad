/**
 * The system calls that make and change files relative to open directories. All are synchronous.
 *
 * They return what the system call returned: a number of at least 0, or the negated errno (`-constants.errno.EEXIST`
 * of `node:os`), since a layer's extraction meets expected failures often and an exception costs more than the call.
 *
 * A name is a string with one character per byte (`latin1`), so that names that are no UTF-8 survive. It must not
 * hold a NUL.
 */
export interface FileCalls {
  /**
   * openat2(2), Linux 5.6. `O_CLOEXEC` is added.
   * @param resolve of `resolveFlags`
   */
  openat2(directory: number, name: string, flags: number, mode: number, resolve: number): number
  mkdirat(directory: number, name: string, mode: number): number
  /** @param mode with the type's bits, as `S_IFIFO` of `node:fs` */
  mknodat(directory: number, name: string, mode: number, major: number, minor: number): number
  symlinkat(target: string, directory: number, name: string): number
  /** Links the very thing that is named: a symbolic link at its end is not followed. */
  linkat(fromDirectory: number, from: string, toDirectory: number, to: string): number
  /**
   * The target of a symbolic link that is open by `openPath`, or the negated errno: of the link that was looked at, whatever
   * its name stands for by now (readlinkat(2) with an empty name).
   */
  targetOf(fd: number): string | number
  /** @param directoryItself whether the name is of an empty directory */
  unlinkat(directory: number, name: string, directoryItself: boolean): number
  fchown(fd: number, uid: number, gid: number): number
  fchmod(fd: number, mode: number): number
  /** Does not follow a symbolic link. */
  fchownat(directory: number, name: string, uid: number, gid: number): number
  /** Sets both times of an open file. */
  futimens(fd: number, seconds: number, nanoseconds: number): number
  /** Sets both times. Does not follow a symbolic link. */
  utimensat(directory: number, name: string, seconds: number, nanoseconds: number): number
  fsetxattr(fd: number, attribute: string, value: Uint8Array): number
  /** Does not follow a symbolic link in the last component. */
  lsetxattr(path: string, attribute: string, value: Uint8Array): number
  /** The names of a file's extended attributes, or the negated errno. Does not follow a symbolic link at the end. */
  llistxattr(path: string): readonly string[] | number
  /** The value of an extended attribute, or the negated errno. Does not follow a symbolic link at the end. */
  lgetxattr(path: string, attribute: string): Uint8Array | number
  /**
   * getdents64(2): the next entries of an open directory, as the kernel lays them out, which `TreeCursor` of
   * `@nsbox/trees` reads.
   * @param into of at least 512 bytes, which any entry fits into
   * @returns how many bytes were written; 0 at the end of the directory
   */
  getdents64(fd: number, into: Uint8Array): number
  /**
   * statx(2) of the basic attributes and the id of the mount. Does not follow a symbolic link.
   * @param into 256 bytes
   */
  statx(directory: number, name: string, into: Uint8Array): number
  /** Has the next `getdents64` begin at a position that an entry has told (`d_off`), or with 0n at the first entry. */
  seekEntry(fd: number, position: bigint): number
  /**
   * Where a file's next data begin at or after an offset, in bytes; `-ENXIO` if there are none. Moves the position of the
   * descriptor. What a file system does not know of holes is data.
   */
  seekData(fd: number, offset: number): number
  /** Where the next hole begins at or after an offset, in bytes: at the latest the end of the file. As `seekData`. */
  seekHole(fd: number, offset: number): number
  /**
   * copy_file_range(2): copies bytes from one file to another inside the kernel, which shares the disk's blocks where the
   * file system can.
   * @returns how many it has copied, which may be fewer; 0 at the end of the file
   */
  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): number
  /**
   * Gives the calling thread, and what it starts, a umask of its own, and so a working directory of its own (unshare(2)
   * with `CLONE_FS`, which a container's seccomp profile may refuse). Other threads keep that of the process.
   */
  umaskOfThread(mask: number): number
}

/** Those that may wait for a disk for long, each made by a thread of libuv's pool. The bytes stay untouched meanwhile. */
export type FileCallsInThread = {
  readonly [Call in 'openat2' | 'unlinkat' | 'getdents64' | 'statx']: (
    ...args: Parameters<FileCalls[Call]>
  ) => Promise<number>
}
