import { linuxFunction, succeeded } from '../linux-function.ts'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000

const eventfd = linuxFunction('int eventfd(uint count, int flags)')

/**
 * Makes a counter that others add to (eventfd(2)), such as a cgroup of version 1 that tells of what happens in it. Reading
 * it gives the count, as 8 bytes, and sets it to 0; it does not wait. The caller closes it.
 */
export function makeEventfd(): number {
  return succeeded('eventfd', eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
}
