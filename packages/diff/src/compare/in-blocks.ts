const blockSize = 256 * 1024

/** The same bytes in larger pieces, since each costs a call of the compressor. The pieces belong to the caller. */
export async function* inBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockSize)
  let used = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length; ) {
      const piece = chunk.subarray(taken, taken + blockSize - used)
      block.set(piece, used)
      taken += piece.length
      used += piece.length
      if (used < blockSize) continue
      yield block
      block = Buffer.allocUnsafe(blockSize)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
