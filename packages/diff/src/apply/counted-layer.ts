import { sniffLength } from '../decompress/sniff.ts'

/** A layer's bytes, which are looked at before they are read, and counted as they are. Disposing of it closes the source. */
export class CountedLayer implements AsyncDisposable {
  readonly #source: AsyncGenerator<Buffer>
  #held: Buffer | undefined
  /** How many have been taken. */
  bytes = 0

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source
  }

  /** The first bytes, as many as tell the compression if there are that many. */
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

  /** All bytes, the first included. Ending the iteration early leaves the source open for `drain`. */
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

  /** Reads what is left. */
  async drain(): Promise<void> {
    for await (const chunk of this.#source) this.bytes += chunk.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return(undefined)
  }
}
