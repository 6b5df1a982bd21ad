import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { CFunction } from '../c-function.ts'

const F_SETFD = 2
const FD_CLOEXEC = 1
const { EBADF } = constants.errno

const fcntl = new CFunction('int fcntl(int fd, int command, int argument)')

/**
 * Makes all open descriptors but the standard three close on exec. Node does that for inherited ones only up to the
 * first gap in their numbers.
 */
export function closeAllOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd <= 2) continue
    const result = fcntl.call(fd, F_SETFD, FD_CLOEXEC)
    // The descriptor of the directory itself is closed by now.
    if (result !== -EBADF) fcntl.succeeded(result)
  }
}

/** Lets a program that replaces this one have the standard descriptors, which Node closes on exec as well. */
export function keepStandardOnExec(): void {
  for (const fd of [0, 1, 2]) {
    const result = fcntl.call(fd, F_SETFD, 0)
    if (result !== -EBADF) fcntl.succeeded(result)
  }
}
