import { NsboxError } from '@nsbox/errors'
import type { SystemCalls } from './system-calls.ts'

/** The system calls of a platform that nsbox does not know: every one throws `unimplemented`. */
export const unsupported: SystemCalls = {
  flock: () => missing('flock'),
  syncfs: async () => missing('syncfs'),
  pipe: () => missing('pipe2'),
  mount: () => missing('mount'),
  umount2: async () => missing('umount2'),
  fsopen: () => missing('fsopen'),
  fsconfigFlag: () => missing('fsconfig'),
  fsconfigString: () => missing('fsconfig'),
  fsconfigCreate: () => missing('fsconfig'),
  fsmount: () => missing('fsmount'),
  openTreeClone: () => missing('open_tree'),
  moveMount: () => missing('move_mount'),
  mountSetattr: () => missing('mount_setattr'),
  openat2: () => missing('openat2'),
}

function missing(name: string): never {
  throw new NsboxError('unimplemented', `${name} on ${process.platform}`)
}
