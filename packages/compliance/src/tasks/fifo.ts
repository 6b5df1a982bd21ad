import { execFile } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

/** Makes FIFOs that only this user may use. */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await promisify(execFile)('mkfifo', ['--mode=600', ...paths])
}

/** Reads a FIFO as a client does, from now to its end. */
export class FifoReader {
  readonly #socket: Socket
  #text = ''
  /** All output, once the FIFO has no writer any more. */
  readonly ended: Promise<string>

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
    this.ended = new Promise((resolve, reject) => {
      socket.once('close', () => resolve(this.#text)).once('error', reject)
    })
    // A test that only looks at the text does not wait for the end.
    this.ended.catch(() => undefined)
  }

  /** Does not wait for a writer. */
  static open(path: string): FifoReader {
    // Never blocks, so it may be synchronous; the socket owns the descriptor.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return new FifoReader(new Socket({ fd, readable: true, writable: false }))
  }

  /** The output so far. */
  get text(): string {
    return this.#text
  }

  /** Stops reading, and keeps the FIFO open. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Closes it before the end. */
  close(): void {
    this.#socket.destroy()
  }
}

/** Opens a FIFO for writing, with or without a reader; the data must fit into a pipe. */
export async function openFifoWriter(path: string): Promise<FileHandle> {
  return await open(path, constants.O_RDWR)
}
