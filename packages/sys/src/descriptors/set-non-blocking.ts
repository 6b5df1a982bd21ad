import { linuxFunction, succeeded } from '../linux-function.ts'

const F_GETFL = 3
const F_SETFL = 4
const O_NONBLOCK = 0o4000

const fcntl = linuxFunction('int fcntl(int fd, int command, int argument)')

/** Makes calls on an open file return instead of wait, for all who have it open by duplicates of this descriptor. */
export function setNonBlocking(fd: number): void {
  succeeded('fcntl', fcntl(fd, F_SETFL, succeeded('fcntl', fcntl(fd, F_GETFL, 0)) | O_NONBLOCK))
}
