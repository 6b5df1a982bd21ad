/** Assembles blocks and headers that arrive in pieces. */
export class PieceCollector {
  #pieces: Buffer[] = []
  #size = 0

  /** Bytes that it holds. */
  get size(): number {
    return this.#size
  }

  /**
   * Takes the missing bytes from a chunk, which stays the caller's.
   * @returns all `wanted` bytes once they are complete, valid as long as the chunk
   */
  take(chunk: Buffer, at: number, wanted: number): Buffer | undefined {
    const piece = chunk.subarray(at, at + wanted - this.#size)
    if (piece.length === wanted) return piece
    this.#pieces.push(Buffer.from(piece))
    this.#size += piece.length
    if (this.#size < wanted) return undefined
    const whole = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#size = 0
    return whole
  }
}
