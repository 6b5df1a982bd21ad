import type { Socket } from 'node:net'

/** The descriptor of a connection; undefined if it has none. Node.js has no public way to it. */
export function socketDescriptor(socket: Socket): number | undefined {
  const { fd } = (socket as { _handle?: { fd?: number } })._handle ?? {}
  return fd === undefined || fd < 0 ? undefined : fd
}
