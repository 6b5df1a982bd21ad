export { tryFlock } from './flock.ts'
export {
  fsconfigCreate,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  mount,
  mountSetattr,
  moveMount,
  openat2,
  openTreeClone,
  umount2,
} from './mount.ts'
export type { MountAttributes } from './mount-calls.ts'
export { AT_FDCWD, MOUNT_ATTR, MS, O_PATH, RESOLVE, UMOUNT } from './mount-flags.ts'
export { pipe } from './pipe.ts'
export { syncfs } from './sync-file-system.ts'
export type { PipeEnds } from './system-calls.ts'
