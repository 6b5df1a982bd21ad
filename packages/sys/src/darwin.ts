import { posixFlock } from './posix-flock.ts'
import type { SystemCalls } from './system-calls.ts'
import { unsupported } from './unsupported.ts'

/** The system calls of macOS. */
export const darwin: SystemCalls = { ...unsupported, flock: posixFlock }
