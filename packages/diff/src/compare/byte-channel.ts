import type { MessagePort } from 'node:worker_threads'
import { abortable, deferred } from '@nsbox/concurrency'

// Most pieces in flight: enough that neither side waits, few enough for memory.
const window = 4

/** The sending end of a channel of bytes between threads. The receiver closes the channel. */
export class ByteSender {
  readonly #port: MessagePort
  #ahead = 0
  #wake: (() => void) | undefined

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', () => {
      this.#ahead -= 1
      this.#wake?.()
    })
    port.unref()
  }

  /** Resolves when more may be sent. The bytes are copied. */
  async send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.#ahead += 1
    const copy = new Uint8Array(bytes)
    this.#port.postMessage(copy, [copy.buffer])
    while (this.#ahead >= window) {
      const taken = deferred()
      this.#wake = taken.resolve
      await abortable(taken.promise, { signal })
    }
  }

  /** Tells the receiver that all bytes have been sent. */
  end(): void {
    this.#port.postMessage(null)
  }
}

/**
 * The bytes that a `ByteSender` sends. At the end, or when the iteration is ended early, the channel is closed.
 *
 * @param work the sender's job: if it fails, so does the iteration
 */
export async function* receiveBytes(port: MessagePort, work: Promise<unknown>): AsyncGenerator<Uint8Array> {
  const arrived: (Uint8Array | null)[] = []
  let wake: (() => void) | undefined
  const failed = new Promise<never>((_, reject) => work.catch(reject))
  failed.catch(() => {})
  port.on('message', (message: Uint8Array | null) => {
    arrived.push(message)
    wake?.()
  })
  try {
    for (;;) {
      const bytes = arrived.shift()
      if (bytes === null) return
      if (bytes !== undefined) {
        yield bytes
        port.postMessage('taken')
        continue
      }
      const next = deferred()
      wake = next.resolve
      await Promise.race([next.promise, failed])
    }
  } finally {
    port.close()
  }
}
