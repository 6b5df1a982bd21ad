import { closeSync } from 'node:fs'
import { CFunction, littleEndian } from '../c-function.ts'
import { inNamespace } from './in-namespace.ts'

/** Values of Linux, the same on all architectures that Node runs on (netdevice(7), socket(2)). */
const AF_INET = 2
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 1

/** Size of a `struct ifreq`, and offset of its flags. */
const requestSize = 40
const flagsAt = 16

const socket = new CFunction('int socket(int domain, int type, int protocol)')
const ioctl = new CFunction('int ioctl(int fd, ulong request, void *argument)')

/**
 * Brings up the interface `lo` of a network namespace, with its addresses. In a new namespace it is down.
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/net`
 * @throws as `inNamespace`
 */
export function bringUpLoopback(namespace: number): void {
  // A socket stays in the namespace that it was made in.
  const fd = socket.succeeded(
    inNamespace('net', namespace, () => socket.call(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
  )
  try {
    const request = new DataView(new ArrayBuffer(requestSize))
    const bytes = new Uint8Array(request.buffer)
    bytes.set(new TextEncoder().encode('lo'))
    ioctl.callOrThrow(fd, SIOCGIFFLAGS, bytes)
    request.setInt16(flagsAt, request.getInt16(flagsAt, littleEndian) | IFF_UP, littleEndian)
    ioctl.callOrThrow(fd, SIOCSIFFLAGS, bytes)
  } finally {
    closeSync(fd)
  }
}
