import { CFunction } from '../c-function.ts'
import type { Readiness } from './readiness.ts'

// poll(2), of <poll.h> on Linux.
const POLLIN = 0x1
const POLLOUT = 0x4
const POLLERR = 0x8
const POLLHUP = 0x10
const POLLRDHUP = 0x2000

const poll = new CFunction('int poll(void *fds, ulong count, int timeout)')
// struct pollfd: the descriptor, the requested and the returned events.
const pollFd = new Int32Array(2)
const events = new Int16Array(pollFd.buffer, 4)

/** Whether reading from a descriptor, or writing to it, would not block; also true for an end or an error. */
export function isReady(fd: number, readiness: Readiness): boolean {
  return pollNow(fd, readiness === 'read' ? POLLIN : POLLOUT) !== 0
}

/**
 * Whether the other end of a connection writes no more: it was closed, or its process has ended. Works even if nobody
 * reads from the descriptor.
 *
 * @throws with detail `errno`; `unimplemented` on other systems than Linux
 */
export function hasHungUp(fd: number): boolean {
  return (pollNow(fd, POLLRDHUP) & (POLLERR | POLLHUP | POLLRDHUP)) !== 0
}

function pollNow(fd: number, wanted: number): number {
  pollFd[0] = fd
  events[0] = wanted
  events[1] = 0
  poll.callOrThrow(pollFd, 1, 0)
  return events[1]!
}
