/** Flags of mount(2) and of propagation, from Linux's <linux/mount.h>. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  MANDLOCK: 64,
  DIRSYNC: 128,
  NOSYMFOLLOW: 256,
  NOATIME: 1024,
  NODIRATIME: 2048,
  BIND: 4096,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
  RELATIME: 1 << 21,
  STRICTATIME: 1 << 24,
  LAZYTIME: 1 << 25,
} as const

/** Attributes of one mount, as fsmount(2) and mount_setattr(2) take them. */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** All bits for the handling of access times. Relative is 0. */
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  NOSYMFOLLOW: 0x200000,
} as const

/** Flags of umount2(2). */
export const UMOUNT = { FORCE: 1, DETACH: 2, NOFOLLOW: 8 } as const

/** How openat2(2) resolves a path. */
export const RESOLVE = {
  NO_XDEV: 0x1,
  NO_MAGICLINKS: 0x2,
  NO_SYMLINKS: 0x4,
  BENEATH: 0x8,
  IN_ROOT: 0x10,
} as const

/** The directory that a relative path starts from, for openat2(2). */
export const AT_FDCWD = -100

/** Opens only the location of a file, not the file; `fs.constants` lacks it. */
export const O_PATH = 0o10000000
