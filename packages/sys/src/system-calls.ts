import type { MountCalls } from './mount-calls.ts'

/** The descriptors of a pipe's two ends; who made the pipe closes them. */
export interface PipeEnds {
  readonly read: number
  readonly write: number
}

/**
 * The system calls that nsbox needs and Node.js lacks. Each platform has a file with its own; a call that a
 * platform does not have throws `unimplemented` when it is made, never when the package is imported.
 */
export interface SystemCalls extends MountCalls {
  /**
   * Takes an exclusive lock on an open file without waiting.
   * @returns whether the lock is held now; false if another open file description holds it
   */
  flock(fd: number): boolean

  /** syncfs(2), in a thread. */
  syncfs(fd: number): Promise<void>

  /** pipe2(2), with both ends closed on exec, and F_SETPIPE_SZ. @param capacity in bytes; a wish */
  pipe(capacity: number): PipeEnds
}
