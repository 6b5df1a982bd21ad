import { linuxMountCalls } from './linux-mount-calls.ts'
import { linuxPipe } from './linux-pipe.ts'
import { linuxSyncfs } from './linux-syncfs.ts'
import { posixFlock } from './posix-flock.ts'
import type { SystemCalls } from './system-calls.ts'

/** The system calls of Linux. */
export const linux: SystemCalls = {
  ...linuxMountCalls,
  flock: posixFlock,
  syncfs: linuxSyncfs,
  pipe: linuxPipe,
}
