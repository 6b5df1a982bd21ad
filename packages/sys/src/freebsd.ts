import { posixFlock } from './posix-flock.ts'
import type { SystemCalls } from './system-calls.ts'
import { unsupported } from './unsupported.ts'

/** The system calls of FreeBSD. */
export const freebsd: SystemCalls = { ...unsupported, flock: posixFlock }
