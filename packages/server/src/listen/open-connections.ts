import { EventEmitter, once } from 'node:events'
import type { Server } from 'node:net'
import type { AbortOptions } from '@nsbox/core/content'

/** The connections to a server that are open. */
export class OpenConnections {
  readonly #events = new EventEmitter().setMaxListeners(0)
  #count = 0

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#count += 1
      socket.once('close', () => {
        this.#count -= 1
        if (this.#count === 0) this.#events.emit('none')
      })
    })
  }

  /** Resolves once there is none; at once if there is none. */
  async none({ signal }: AbortOptions = {}): Promise<void> {
    while (this.#count > 0) {
      try {
        await once(this.#events, 'none', { signal })
      } catch (error) {
        signal?.throwIfAborted()
        throw error
      }
    }
  }
}
