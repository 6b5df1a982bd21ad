export { tryFlock } from './flock.ts'
export {
  fsconfigCreate,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  type MountAttributes,
  mount,
  mountSetattr,
  moveMount,
  openat2,
  openTreeClone,
  umount2,
} from './mount-calls.ts'
export { AT_FDCWD, MOUNT_ATTR, MS, O_PATH, RESOLVE, UMOUNT } from './mount-flags.ts'
export { type PipeEnds, pipe } from './pipe.ts'
export { syncfs } from './syncfs.ts'
