import { type Frame, headerBytes, maxFrameBytes } from './frame.ts'

/**
 * The frames in a stream of bytes. Memory is used for the bytes that have come, not for the length that a header
 * announces. A frame with too much data is reported once its data has passed, so that the frames after it can be read.
 *
 * A frame that is cut off at the end is dropped.
 */
export async function* readFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void> {
  let next = new FrameInProgress()
  for await (const chunk of bytes)
    for (let at = 0; at < chunk.length; ) {
      at += next.take(chunk.subarray(at))
      const frame = next.frame
      if (frame === undefined) continue
      yield frame
      next = new FrameInProgress()
    }
}

class FrameInProgress {
  readonly #header = new Uint8Array(headerBytes)
  readonly #view = new DataView(this.#header.buffer)
  readonly #pieces: Uint8Array[] = []
  #headerRead = 0
  #dataRead = 0

  /** @returns how many bytes it has used */
  take(chunk: Uint8Array): number {
    if (this.#headerRead < headerBytes) {
      const piece = chunk.subarray(0, headerBytes - this.#headerRead)
      this.#header.set(piece, this.#headerRead)
      this.#headerRead += piece.length
      return piece.length
    }
    const piece = chunk.subarray(0, this.#length - this.#dataRead)
    this.#dataRead += piece.length
    // A part is copied, since a view would keep the whole chunk in memory.
    if (!this.#isTooLarge) this.#pieces.push(piece.length === chunk.length ? piece : piece.slice())
    return piece.length
  }

  /** Undefined until it is complete. */
  get frame(): Frame | undefined {
    if (this.#headerRead < headerBytes || this.#dataRead < this.#length) return undefined
    return {
      streamId: this.#view.getUint32(4),
      type: this.#view.getUint8(8),
      flags: this.#view.getUint8(9),
      data: this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces),
      ...(this.#isTooLarge && { isTooLarge: true }),
    }
  }

  get #length(): number {
    return this.#view.getUint32(0)
  }

  get #isTooLarge(): boolean {
    return this.#length > maxFrameBytes
  }
}
