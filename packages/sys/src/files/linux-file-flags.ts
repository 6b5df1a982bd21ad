/** Numbers of the file calls that `constants` of `node:fs` lacks, from <linux/fcntl.h> and <linux/stat.h>. */
export const SYS_openat2 = 437
export const O_CLOEXEC = 0o2000000
export const AT_SYMLINK_NOFOLLOW = 0x100
export const AT_REMOVEDIR = 0x200
const STATX_BASIC_STATS = 0x7ff
const STATX_MNT_ID = 0x1000
/** What `FileCalls.statx` asks for. */
export const statxMask = STATX_BASIC_STATS | STATX_MNT_ID
