const blockSize = 256 * 1024

/** The same bytes in pieces of some size, since each piece costs a trip through a compressor. */
export async function* inBlocks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockSize)
  let used = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length; ) {
      const length = chunk.copy(block, used, taken)
      taken += length
      used += length
      if (used < blockSize) continue
      yield block
      block = Buffer.allocUnsafe(blockSize)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
