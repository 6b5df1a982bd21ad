import type { Socket } from 'node:net'
import { closedError } from './closed-error.ts'
import { encodeFrame, type Frame } from './frame.ts'

/** Writes frames, one after another. A caller that waits for each write has at most that frame in memory. */
export class FrameWriter {
  readonly #socket: Socket
  #drained: Promise<void> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Resolves when there is room for more.
   * @throws `resource_exhausted` for too much data, with nothing written; `unavailable` if the connection has ended
   */
  async write(frame: Frame): Promise<void> {
    const bytes = encodeFrame(frame)
    if (!this.#socket.writable) throw closedError()
    if (!this.#socket.write(bytes)) await this.#drain()
  }

  #drain(): Promise<void> {
    const socket = this.#socket
    this.#drained ??= new Promise<void>((resolve, reject) => {
      const onDrain = () => settle(resolve)
      const onClose = () => settle(() => reject(closedError()))
      const settle = (how: () => void) => {
        socket.off('drain', onDrain).off('close', onClose)
        this.#drained = undefined
        how()
      }
      socket.on('drain', onDrain).on('close', onClose)
    })
    return this.#drained
  }
}
