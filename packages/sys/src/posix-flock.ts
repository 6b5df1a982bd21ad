import { isNsboxError } from '@nsbox/errors'
import { libcFunction } from './libc.ts'

// The same values in <sys/file.h> of Linux, macOS and FreeBSD.
const LOCK_EX = 2
const LOCK_NB = 4

const flock = libcFunction('int flock(int fd, int operation)')

/** flock(2) as Linux, macOS and FreeBSD have it. */
export function posixFlock(fd: number): boolean {
  try {
    flock(fd, LOCK_EX | LOCK_NB)
    return true
  } catch (error) {
    // EWOULDBLOCK has the number of EAGAIN on all three.
    if (isNsboxError(error) && error.details.errno === 'EAGAIN') return false
    throw error
  }
}
