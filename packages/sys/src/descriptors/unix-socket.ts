import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { addressOf, CFunction } from '../c-function.ts'

const AF_UNIX = 1
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
const MSG_CTRUNC = 0x8
const MSG_CMSG_CLOEXEC = 0x40000000
const types = { stream: 1, datagrams: 2, packets: 5 } as const
const { EAGAIN, ECONNABORTED, ECONNRESET, EPIPE } = constants.errno

/** The type of a socket: a stream of bytes, separate datagrams without a connection, or separate packets. */
export type SocketType = keyof typeof types

/** Data received from a socket. */
export interface Received {
  readonly bytes: Uint8Array
  /** Closed on exec; the caller closes them. */
  readonly descriptors: readonly number[]
}

const socket = new CFunction('int socket(int domain, int type, int protocol)')
const bind = new CFunction('int bind(int fd, const void *address, uint length)')
const listen = new CFunction('int listen(int fd, int backlog)')
const connect = new CFunction('int connect(int fd, const void *address, uint length)')
const accept4 = new CFunction('int accept4(int fd, void *address, void *length, int flags)')
const sendmsg = new CFunction('long sendmsg(int fd, const void *message, int flags)')
const recvmsg = new CFunction('long recvmsg(int fd, void *message, int flags)')

const longestPath = 107
const mostDescriptors = 253
const headerSize = 16

/**
 * Listens on a socket at a path that must not exist. It and its connections are non-blocking.
 * @returns the descriptor; the caller closes it and removes the file
 * @throws `invalid_argument` for a path that no socket can have
 */
export function listenUnix(path: string, type: SocketType): number {
  const address = unixAddress(path)
  return opened(type, (fd) => {
    bind.succeeded(bind.call(fd, address, address.length), path)
    listen.callOrThrow(fd, 4096)
  })
}

/**
 * Connects to a socket, without blocking.
 * @param path one that begins with NUL is a name in the abstract namespace (unix(7))
 * @throws with detail `errno` `ECONNREFUSED` or `ENOENT` if nobody listens, `EAGAIN` if too many wait
 */
export function connectUnix(path: string, type: SocketType): number {
  const address = unixAddress(path)
  return opened(type, (fd) => {
    connect.succeeded(connect.call(fd, address, address.length), path)
  })
}

/** @returns the next connection of a listening socket; undefined if there is none */
export function acceptUnix(listener: number): number | undefined {
  for (;;) {
    const result = accept4.call(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (result === -EAGAIN) return undefined
    if (result !== -ECONNABORTED) return accept4.succeeded(result)
  }
}

/**
 * Sends bytes with duplicates of descriptors (sendmsg(2), SCM_RIGHTS); the caller keeps its own.
 * @returns whether they were sent; false if there is no room now
 * @throws with detail `errno` `EPIPE` or `ECONNRESET` if the other side has closed the connection
 */
export function sendDescriptors(fd: number, bytes: Uint8Array, descriptors: readonly number[]): boolean {
  if (bytes.length === 0 || descriptors.length > mostDescriptors)
    throw new NsboxError(
      'invalid_argument',
      `message of ${bytes.length} bytes, ${descriptors.length} descriptors`,
    )
  const control = new Uint8Array(descriptors.length === 0 ? 0 : controlSize(descriptors.length))
  if (descriptors.length > 0) {
    new BigUint64Array(control.buffer, 0, 1)[0] = BigInt(headerSize + 4 * descriptors.length)
    new Int32Array(control.buffer, 8, 2).set([SOL_SOCKET, SCM_RIGHTS])
    new Int32Array(control.buffer, headerSize, descriptors.length).set(descriptors)
  }
  const message = messageHeader(bytes, control)
  const result = sendmsg.call(fd, message.header, MSG_NOSIGNAL)
  if (result === -EAGAIN) return false
  sendmsg.succeeded(result)
  return true
}

/**
 * Receives available data: one packet, or at most `size` bytes of a stream.
 * @param size the most bytes to receive
 * @returns `nothing` if there is nothing now, `end` if the other side has closed the connection
 * @throws `resource_exhausted` if there were more descriptors than this process may have; those received are closed
 */
export function receiveDescriptors(fd: number, size: number): Received | 'nothing' | 'end' {
  const bytes = new Uint8Array(size)
  const control = new Uint8Array(controlSize(mostDescriptors))
  const message = messageHeader(bytes, control)
  const result = recvmsg.call(fd, message.header, MSG_CMSG_CLOEXEC)
  if (result === -EAGAIN) return 'nothing'
  if (result === -ECONNRESET || result === -EPIPE) return 'end'
  const length = recvmsg.succeeded(result)
  const descriptors = readControl(control.subarray(0, message.controlLength()))
  if ((message.flags() & MSG_CTRUNC) !== 0) {
    for (const descriptor of descriptors) closeSync(descriptor)
    throw new NsboxError('resource_exhausted', 'no room for descriptors that were sent')
  }
  if (length === 0 && descriptors.length === 0) return 'end'
  return { bytes: bytes.subarray(0, length), descriptors }
}

function opened(type: SocketType, setUp: (fd: number) => void): number {
  const fd = socket.callOrThrow(AF_UNIX, types[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  try {
    setUp(fd)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path)
  const isAbstract = name.length > 1 && name[0] === 0
  if (name.length === 0 || name.length > longestPath || (!isAbstract && name.includes(0)))
    throw new NsboxError(
      'invalid_argument',
      `${JSON.stringify(path)} is no path of a socket: at most ${longestPath} bytes`,
    )
  // All bytes of an abstract name count, so it has no NUL at its end.
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1))
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX
  address.set(name, 2)
  return address
}

function controlSize(descriptors: number): number {
  return headerSize + Math.ceil((4 * descriptors) / 8) * 8
}

/** struct msghdr of 64-bit Linux, with one struct iovec. It points to the arguments, which must outlive it. */
function messageHeader(data: Uint8Array, control: Uint8Array) {
  const vector = new BigUint64Array([addressOf(data), BigInt(data.length)])
  const header = new BigUint64Array(7)
  header[2] = addressOf(vector)
  header[3] = 1n
  header[4] = control.length === 0 ? 0n : addressOf(control)
  header[5] = BigInt(control.length)
  return {
    header,
    controlLength: () => Number(header[5]),
    flags: () => new Int32Array(header.buffer, 48, 1)[0]!,
    // Keeps the memory alive that the header points to.
    vector,
    data,
    control,
  }
}

function readControl(control: Uint8Array): number[] {
  const found: number[] = []
  const view = Buffer.from(control.buffer, control.byteOffset, control.byteLength)
  for (let at = 0; at + headerSize <= view.length; ) {
    const size = Number(new BigUint64Array(control.buffer, control.byteOffset + at, 1)[0])
    const [level, type] = new Int32Array(control.buffer, control.byteOffset + at + 8, 2)
    if (size < headerSize) break
    if (level === SOL_SOCKET && type === SCM_RIGHTS)
      found.push(
        ...new Int32Array(control.buffer, control.byteOffset + at + headerSize, (size - headerSize) >> 2),
      )
    at += Math.ceil(size / 8) * 8
  }
  return found
}
