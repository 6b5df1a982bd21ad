import { CFunction } from '../c-function.ts'

const F_GETFL = 3
const F_SETFL = 4
const O_NONBLOCK = 0o4000

const fcntl = new CFunction('int fcntl(int fd, int command, int argument)')

/** Makes an open file non-blocking, for all duplicates of this descriptor. */
export function setNonBlocking(fd: number): void {
  fcntl.callOrThrow(fd, F_SETFL, fcntl.callOrThrow(fd, F_GETFL, 0) | O_NONBLOCK)
}
