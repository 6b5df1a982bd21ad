/** How many bytes may wait before reading stops; a single frame may always. */
const maxBytes = 16 << 20

/** Memory of a frame besides its data. */
const overhead = 256

/**
 * Counts data of streams that has been read from a connection and not yet taken. The protocol has no flow control, so
 * reading the whole connection stops while there is too much.
 */
export class Backlog {
  #bytes = 0
  #wake: (() => void) | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** Counts data until the result is disposed of; idempotent. */
  add(data: Uint8Array): Disposable {
    let bytes = data.byteLength + overhead
    this.#bytes += bytes
    return {
      [Symbol.dispose]: () => {
        this.#bytes -= bytes
        bytes = 0
        if (this.#bytes <= maxBytes) this.#wake?.()
      },
    }
  }

  /** Resolves when more may be read. For one reader. */
  async room(): Promise<void> {
    while (this.#bytes > maxBytes)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    this.#wake = undefined
  }
}
