import { constants } from 'node:os'
import { CFunction, littleEndian } from '../c-function.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CTL_MOD = 3
const EPOLLIN = 0x1
const EPOLLOUT = 0x4
const EPOLLONESHOT = 0x40000000
const { ENOENT, EPERM } = constants.errno

const epollCreate = new CFunction('int epoll_create1(int flags)')
const epollControl = new CFunction('int epoll_ctl(int set, int operation, int fd, void *event)')
const epollWait = new CFunction('int epoll_wait(int set, void *events, int count, int timeout)')

// struct epoll_event is packed on x86-64 only.
const eventSize = process.arch === 'x64' ? 12 : 16
const dataOffset = process.arch === 'x64' ? 4 : 8
const mostEvents = 64

/** What to wait for: data to read (or an end), or room to write. */
export type Readiness = 'read' | 'write'

/** Makes a set of watched descriptors (epoll(7)), which is a descriptor itself; the caller closes it. */
export function makeWatchSet(): number {
  return epollCreate.callOrThrow(EPOLL_CLOEXEC)
}

/**
 * Watches a descriptor until it is ready once, for any of the given directions; another call watches it again. Other
 * threads may be waiting. It must be removed before it is closed while duplicates of it are open.
 * @param added whether it is in the set already
 * @returns false if the descriptor cannot be watched because it is always ready, as a file is
 */
export function watchOnce(set: number, fd: number, readiness: Iterable<Readiness>, added: boolean): boolean {
  let events = EPOLLONESHOT
  for (const one of readiness) events |= one === 'read' ? EPOLLIN : EPOLLOUT
  const event = new Uint8Array(eventSize)
  const view = new DataView(event.buffer)
  view.setUint32(0, events, littleEndian)
  view.setInt32(dataOffset, fd, littleEndian)
  const result = epollControl.call(set, added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, event)
  if (result === -EPERM) return false
  epollControl.succeeded(result)
  return true
}

/** Removes a descriptor from a set; does nothing if it is not in it. */
export function unwatch(set: number, fd: number): void {
  const result = epollControl.call(set, EPOLL_CTL_DEL, fd, new Uint8Array(eventSize))
  if (result !== -ENOENT) epollControl.succeeded(result)
}

/** Waits, in a thread, until descriptors of a set are ready. @returns some of these, each once */
export async function waitForReady(set: number): Promise<number[]> {
  const events = new Uint8Array(eventSize * mostEvents)
  const count = epollWait.succeeded(await epollWait.callInThread(set, events, mostEvents, -1))
  const view = new DataView(events.buffer)
  return Array.from({ length: count }, (_, index) =>
    view.getInt32(index * eventSize + dataOffset, littleEndian),
  )
}
