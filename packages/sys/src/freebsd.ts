import { posixFlock } from './posix-flock.ts'
import type { SystemCalls } from './system-calls.ts'

/** The system calls of FreeBSD. */
export const freebsd: SystemCalls = { flock: posixFlock }
