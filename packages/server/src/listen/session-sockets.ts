import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { hasHungUp } from '@nsbox/sys/descriptors'
import { socketDescriptor } from '../socket-descriptor.ts'

/** Milliseconds between checks of sessions that are closing. */
const interval = 5000

/**
 * Ends HTTP/2 connections that are closing and whose client has disconnected. A closing session lasts as long as its
 * streams, which may be days. But Node.js does not notice the end of a client that sent GOAWAY and then something
 * malformed: such connections would stay for ever, and reach the limit on connections.
 */
export class SessionSockets {
  readonly #sockets = new Map<Http2Session, Socket>()
  #timer: NodeJS.Timeout | undefined

  /** All sessions whose sockets are open. */
  get sessions(): readonly Http2Session[] {
    return [...this.#sockets.keys()]
  }

  add(session: Http2Session, socket: Socket): void {
    this.#sockets.set(session, socket)
    socket.once('close', () => {
      this.#sockets.delete(session)
      if (this.#sockets.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
    this.#timer ??= setInterval(() => this.#look(), interval).unref()
  }

  #look(): void {
    for (const [session, socket] of this.#sockets) {
      if (!session.closed || !hasGone(socket)) continue
      session.destroy()
      socket.destroy()
    }
  }
}

function hasGone(socket: Socket): boolean {
  const fd = socketDescriptor(socket)
  return process.platform === 'linux' && fd !== undefined && hasHungUp(fd)
}
