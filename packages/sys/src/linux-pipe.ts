import { closeSync } from 'node:fs'
import { isNsboxError } from '@nsbox/errors'
import { libcFunction } from './libc.ts'
import type { PipeEnds } from './system-calls.ts'

const O_CLOEXEC = 0o2000000
const F_SETPIPE_SZ = 1031

const pipe2 = libcFunction('int pipe2(void *ends, int flags)')
const fcntl = libcFunction('int fcntl(int fd, int command, int argument)')

/** pipe2(2) of Linux. */
export function linuxPipe(capacity: number): PipeEnds {
  const ends = new Uint8Array(8)
  pipe2(ends, O_CLOEXEC)
  const view = new Int32Array(ends.buffer)
  const [read, write] = [view[0]!, view[1]!]
  try {
    fcntl(write, F_SETPIPE_SZ, capacity)
  } catch (error) {
    // The limits of /proc/sys/fs/pipe-*: the pipe works with what it has.
    if (isNsboxError(error) && error.details.errno === 'EPERM') return { read, write }
    closeSync(read)
    closeSync(write)
    throw error
  }
  return { read, write }
}
