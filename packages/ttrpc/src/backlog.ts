/** How many bytes may wait before no more is read; one frame, of any size, always may. */
const maxBytes = 16 << 20

/** Besides its data, what a frame takes in memory. */
const overhead = 256

/**
 * Data of streams that has been read from a connection and not been taken. The protocol has no flow control, so that
 * the whole connection waits while there is too much.
 */
export class Backlog {
  #bytes = 0
  #wake: (() => void) | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** Counts data until the result is disposed of, which may be done repeatedly. */
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
