import { closeSync, rmSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { acceptUnix, listenUnix, receiveDescriptors, setNonBlocking } from '@nsbox/sys/descriptors'

/** A socket for the terminal of a runtime's process. */
export class ConsoleSocket implements Disposable {
  readonly #path: string
  readonly #listener: number

  constructor(path: string) {
    this.#path = path
    this.#listener = listenUnix(path, 'stream')
  }

  /**
   * The terminal, in non-blocking mode. To be called when the program that got the socket has ended: the terminal has
   * been sent by then.
   * @throws `failed_precondition` if none was sent
   */
  take(): number {
    const connection = acceptUnix(this.#listener)
    if (connection === undefined)
      throw new NsboxError('failed_precondition', 'the runtime has sent no terminal')
    try {
      const received = receiveDescriptors(connection, 4096)
      const [terminal, ...more] = typeof received === 'string' ? [] : received.descriptors
      for (const fd of more) closeSync(fd)
      if (terminal === undefined)
        throw new NsboxError('failed_precondition', 'the runtime has sent no terminal')
      setNonBlocking(terminal)
      return terminal
    } finally {
      closeSync(connection)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#listener)
    rmSync(this.#path, { force: true })
  }
}
