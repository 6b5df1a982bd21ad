import type { CompressedBytes } from '../decompress/decompressor.ts'
import { sniffLength } from '../decompress/sniff.ts'

/** A file that has all bytes of a layer. */
export interface WholeFile {
  /** Its descriptor, at offset 0. */
  readonly fd: number
  readonly size: number
}

/**
 * A layer's bytes: the first can be read in advance, and all are counted as they are read. Disposing of it closes the
 * source.
 */
export class CountedLayer implements CompressedBytes, AsyncDisposable {
  readonly #source: AsyncGenerator<Buffer>
  readonly #whole: WholeFile | undefined
  #held: Buffer | undefined
  /** Number of bytes read. */
  bytes = 0

  /** @param whole the same bytes as a file, if there is one */
  constructor(source: AsyncGenerator<Buffer>, whole?: WholeFile) {
    this.#source = source
    this.#whole = whole
  }

  /** The first bytes, enough to recognise the compression unless there are fewer. */
  async start(): Promise<Buffer> {
    let held = Buffer.alloc(0)
    while (held.length < sniffLength) {
      const { done, value } = await this.#source.next()
      if (done) break
      held = Buffer.concat([held, value])
    }
    this.#held = held
    return held.subarray(0, sniffLength)
  }

  /** All bytes, from the first on. Ending the iteration early leaves the source open for `drain`. */
  async *chunks(): AsyncGenerator<Buffer> {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) {
      this.bytes += held.length
      yield held
    }
    for (;;) {
      const { done, value } = await this.#source.next()
      if (done) return
      this.bytes += value.length
      yield value
    }
  }

  /** The file, if there is one; all its bytes count as read then. */
  file(): number | undefined {
    if (this.#whole === undefined) return undefined
    this.bytes = this.#whole.size
    return this.#whole.fd
  }

  /** Reads the rest, unless the file was used. */
  async drain(): Promise<void> {
    if (this.bytes === this.#whole?.size) return
    for await (const chunk of this.#source) this.bytes += chunk.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return(undefined)
  }
}
