import { posixFlock } from './posix-flock.ts'
import type { SystemCalls } from './system-calls.ts'

/** The system calls of macOS. */
export const darwin: SystemCalls = { flock: posixFlock }
