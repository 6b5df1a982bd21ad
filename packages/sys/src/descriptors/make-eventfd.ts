import { CFunction } from '../c-function.ts'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000

const eventfd = new CFunction('int eventfd(uint count, int flags)')

/**
 * Makes a counter that others add to (eventfd(2)), such as a cgroup of version 1 for its events. Reading it returns the
 * count, as 8 bytes, and sets it to 0, without blocking. The caller closes it.
 */
export function makeEventfd(): number {
  return eventfd.callOrThrow(0, EFD_CLOEXEC | EFD_NONBLOCK)
}
