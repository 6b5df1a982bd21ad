import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { closeDescriptor, openFifo } from './open-fifo.ts'

/** What a process reads, written to a FIFO. */
export class InputStream {
  readonly #socket: Socket
  readonly #keepAlive: number
  readonly writable: Writable
  #closed = false

  private constructor(writer: number, keepAlive: number, end: () => Promise<void>) {
    const socket = new Socket({ fd: writer, readable: false, writable: true })
    this.#socket = socket
    this.#keepAlive = keepAlive
    this.writable = new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        socket.write(chunk, done)
      },
      // As long as there is a writer, the input does not end.
      final: (done) => {
        socket.destroy()
        end().then(() => done(), done)
      },
      destroy: (error, done) => {
        socket.destroy()
        done(error)
      },
    })
    socket.on('error', (error) => this.writable.destroy(error))
  }

  /**
   * Opens the FIFO, without waiting for the server.
   *
   * A reading end of its own prevents lost bytes and broken pipes before the server reads.
   *
   * @param end lets the server end the process's input, after the last byte has been handed over
   */
  static async open(path: string, end: () => Promise<void>): Promise<InputStream> {
    const keepAlive = await openFifo(path, 'read')
    try {
      return new InputStream(await openFifo(path, 'write'), keepAlive, end)
    } catch (error) {
      await closeDescriptor(keepAlive)
      throw error
    }
  }

  /** Closes both ends; what has not been written is lost. The process's input stays open. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.writable.destroy()
    this.#socket.destroy()
    await closeDescriptor(this.#keepAlive)
  }
}
