import { NsboxError } from '@nsbox/errors'
import { ZSTDDecoder } from 'zstddec/stream'
import type { DecompressionEngine } from './decompressor.ts'

/**
 * zstd in WebAssembly, which every Node has; several times slower than the program. The library refuses windows beyond
 * 128 MiB.
 */
export const wasmZstdEngine: DecompressionEngine = {
  name: 'zstddec',
  format: 'zstd',
  async *decompress(compressed) {
    const decoder = new ZSTDDecoder()
    await decoder.init()
    const source = compressed.chunks()[Symbol.asyncIterator]()
    let next: Buffer | undefined
    let idle = 0
    let patience = 0
    // The decoder asks for its input synchronously, at most one non-empty chunk between two outputs: one is held ready.
    const input: Iterable<Uint8Array> = {
      *[Symbol.iterator]() {
        while (next !== undefined) {
          const chunk = next
          next = undefined
          // No frame is shorter than 8 bytes, so no more empty ones than this can end within a chunk.
          patience = chunk.length / 8 + 2
          idle = 0
          yield chunk
        }
      },
    }
    const fill = async (): Promise<void> => {
      while (next === undefined) {
        const { done, value } = await source.next()
        if (done) return
        // The one before may still be read.
        if (value.length > 0) next = Buffer.from(value)
      }
    }
    try {
      await fill()
      if (next === undefined) throw damaged()
      const outputs = decoder.decodeStreaming(input)
      for (;;) {
        await fill()
        let output: IteratorResult<Uint8Array>
        try {
          output = outputs.next()
        } catch (cause) {
          throw damaged(cause)
        }
        if (output.done) return
        const { buffer, byteOffset, length } = output.value
        if (length > 0) yield Buffer.from(buffer, byteOffset, length)
        // The decoder does not say that a frame is broken: it goes on without making progress.
        else if (++idle > patience) throw damaged()
      }
    } finally {
      await source.return?.()
    }
  },
}

function damaged(cause?: unknown): NsboxError {
  const context = 'the layer cannot be decompressed: broken zstd stream'
  return new NsboxError('data_loss', context, cause === undefined ? {} : { cause })
}
