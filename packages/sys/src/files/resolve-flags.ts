/** How openat2(2) resolves a path; from <linux/openat2.h>. */
export const resolveFlags = {
  noCrossing: 0x1,
  noMagicLinks: 0x2,
  noSymlinks: 0x4,
  beneath: 0x8,
  inRoot: 0x10,
} as const

/** Opens a place and not what is there; `constants` of `node:fs` lacks it. */
export const openPath = 0o10000000
