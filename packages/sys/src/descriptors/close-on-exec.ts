import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { linuxFunction, succeeded } from '../linux-function.ts'

const F_SETFD = 2
const FD_CLOEXEC = 1
const { EBADF } = constants.errno

const fcntl = linuxFunction('int fcntl(int fd, int command, int argument)')

/**
 * Keeps all descriptors that are open now, but the standard three, from programs that this process starts. Node does so
 * for those that it has inherited only up to the first gap in their numbers.
 */
export function closeAllOnExec(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd <= 2) continue
    const result = fcntl(fd, F_SETFD, FD_CLOEXEC)
    // That of the directory itself is closed by now.
    if (result !== -EBADF) succeeded('fcntl', result)
  }
}
