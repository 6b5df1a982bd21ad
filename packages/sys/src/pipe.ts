import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { CFunction } from './c-function.ts'

const O_CLOEXEC = 0o2000000
const F_SETPIPE_SZ = 1031
const { EPERM } = constants.errno

const pipe2 = new CFunction('int pipe2(int *ends, int flags)')
const fcntl = new CFunction('int fcntl(int fd, int command, int argument)')

/** The descriptors of a pipe's two ends; the caller of `pipe` closes them. */
export interface PipeEnds {
  readonly read: number
  readonly write: number
}

/**
 * Makes a pipe whose ends are closed on exec (pipe2(2)).
 *
 * @param capacity requested bytes; the system rounds up, and a user without the right to such a pipe gets the default
 */
export function pipe(capacity: number): PipeEnds {
  const ends = new Int32Array(2)
  pipe2.callOrThrow(ends, O_CLOEXEC)
  const [read, write] = ends as unknown as [number, number]
  const result = fcntl.call(write, F_SETPIPE_SZ, capacity)
  // The limits of /proc/sys/fs/pipe-*: the pipe keeps its default.
  if (result < 0 && result !== -EPERM) {
    closeSync(read)
    closeSync(write)
    fcntl.succeeded(result)
  }
  return { read, write }
}
