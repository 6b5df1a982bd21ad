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
 * Makes a pipe whose ends no child process inherits unless it is handed one (pipe2(2)).
 *
 * @param capacity bytes that it should hold; the system rounds it up, and leaves a pipe as it is by default for a user
 * who may have no such pipe
 */
export function pipe(capacity: number): PipeEnds {
  const ends = new Int32Array(2)
  pipe2.callOrThrow(ends, O_CLOEXEC)
  const [read, write] = ends as unknown as [number, number]
  const result = fcntl.call(write, F_SETPIPE_SZ, capacity)
  // The limits of /proc/sys/fs/pipe-*: the pipe works with what it has.
  if (result < 0 && result !== -EPERM) {
    closeSync(read)
    closeSync(write)
    fcntl.succeeded(result)
  }
  return { read, write }
}
