import { constants, open } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isErrno } from '@nsbox/errors'
import { closeDescriptor, openFifo } from './open-fifo.ts'

/** How long an output must be silent, once its process has ended, before it counts as complete; milliseconds. */
const silence = 10_000
const lookEvery = 50

/** What a process writes, read from a FIFO. */
export class OutputStream {
  readonly #descriptor: number
  /** A writer of this process's own, until the process has been started. */
  #keeper: number | undefined
  readonly #socket: Socket
  readonly #ended: Promise<void>

  constructor(descriptor: number, keeper?: number) {
    this.#descriptor = descriptor
    this.#keeper = keeper
    // poll(2) reports no end of a FIFO before its first writer has come and gone.
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: false })
    this.#ended = new Promise((resolve) => this.#socket.once('close', () => resolve()))
  }

  /**
   * Opens the FIFO, whether the server has done so or not.
   * @param untilStarted whether it does not end before `started`: a server that dies while it starts the process closes
   * the other end, and the next one opens it again
   */
  static async open(
    path: string,
    { untilStarted }: { readonly untilStarted: boolean },
  ): Promise<OutputStream> {
    const descriptor = await openFifo(path, 'read')
    try {
      return new OutputStream(descriptor, untilStarted ? await openFifo(path, 'write') : undefined)
    } catch (error) {
      await closeDescriptor(descriptor)
      throw error
    }
  }

  /** From now on the output ends when the process and the server have closed it. */
  async started(): Promise<void> {
    const keeper = this.#keeper
    this.#keeper = undefined
    if (keeper !== undefined) await closeDescriptor(keeper)
  }

  get readable(): Readable {
    return this.#socket
  }

  /**
   * Waits, after the end of the process, until all its output has been read; discards it if there is no reader. If the
   * server does not close its end, ten seconds of silence count as the end.
   */
  async drain({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const socket = this.#socket
    await this.started()
    if (socket.readableFlowing === null && socket.listenerCount('readable') === 0) socket.resume()
    await this.#noticeEnd()
    let seen = socket.bytesRead
    let quietSince = Date.now()
    while (!socket.closed) {
      await Promise.race([this.#ended, delay(lookEvery, undefined, { signal })])
      if (socket.bytesRead !== seen || socket.readableLength > 0) {
        seen = socket.bytesRead
        quietSince = Date.now()
      } else if (Date.now() - quietSince > silence) {
        socket.destroy()
      }
    }
  }

  /** Stops reading; what is unread is lost to this process. */
  async destroy(): Promise<void> {
    this.#socket.destroy()
    await this.started()
  }

  /**
   * poll(2) reports no end if there was no writer since this end was opened. A writer that opens and closes makes it
   * report one.
   */
  async #noticeEnd(): Promise<void> {
    if (this.#socket.destroyed || this.#socket.readableEnded) return
    try {
      const path = `/proc/self/fd/${this.#descriptor}`
      await closeDescriptor(await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK))
    } catch (error) {
      // Without `/proc`, `drain` relies on its time limit.
      if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENXIO')) throw error
    }
  }
}
