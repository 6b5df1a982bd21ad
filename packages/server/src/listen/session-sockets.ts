import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { hasHungUp } from '@nsbox/sys/descriptors'
import { socketDescriptor } from '../socket-descriptor.ts'

/** How often sessions that are closing are looked at, in milliseconds. */
const interval = 5000

/**
 * Ends connections of HTTP/2 that are closing and whose client has gone. A session that is closing goes on for as long
 * as its streams do, which may be days. But Node.js does not notice that the client has gone if it said GOAWAY and then
 * something malformed: such connections would stay for good, and add up to the most that there may be.
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
