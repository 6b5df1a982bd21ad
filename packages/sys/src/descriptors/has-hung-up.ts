import { CFunction } from '../c-function.ts'

// poll(2), of <poll.h> on Linux.
const POLLERR = 0x8
const POLLHUP = 0x10
const POLLRDHUP = 0x2000

const poll = new CFunction('int poll(void *descriptors, unsigned long count, int timeout)')

/**
 * Whether the other end of a connection writes no more: it has closed it, or its process has ended. Says so too when
 * nobody reads from the descriptor.
 *
 * @throws with detail `errno`; `unimplemented` elsewhere than on Linux
 */
export function hasHungUp(fd: number): boolean {
  // struct pollfd: the descriptor, what is asked for, and what there is.
  const asked = Buffer.alloc(8)
  new DataView(asked.buffer, asked.byteOffset).setInt32(0, fd, true)
  const view = new Int16Array(asked.buffer, asked.byteOffset + 4, 2)
  view[0] = POLLRDHUP
  poll.callOrThrow(asked, 1, 0)
  return (view[1]! & (POLLERR | POLLHUP | POLLRDHUP)) !== 0
}
