import type { Transform, TransformOptions } from 'node:stream'
import * as zlib from 'node:zlib'
import { errorCode, NsboxError } from '@nsbox/errors'
import type { Decompress, DecompressionEngine } from './decompressor.ts'
import { freeMemory } from './free-memory.ts'
import { writeChunks } from './write-chunks.ts'

// Bigger than the default of 16 KiB, since each chunk is a trip through libuv's pool; and one more may be held, so that
// the next is decompressed while one is taken. As objects they are not put together when two are there.
const chunkSize = 1024 * 1024
const options: zlib.ZlibOptions & Pick<TransformOptions, 'readableHighWaterMark' | 'readableObjectMode'> = {
  chunkSize,
  readableHighWaterMark: 2,
  readableObjectMode: true,
}

/** gzip by Node's own zlib, whose work is done in a thread of libuv's pool. */
export const zlibEngine: DecompressionEngine = {
  name: 'node:zlib',
  format: 'gzip',
  decompress: through(() => zlib.createGunzip(options)),
}

/** zstd by Node's own zlib, where it has it (22.15 and later); undefined elsewhere. */
export const zlibZstdEngine: DecompressionEngine | undefined = (() => {
  const create = (zlib as { createZstdDecompress?: (settings: typeof options) => Transform })
    .createZstdDecompress
  if (create === undefined) return undefined
  return { name: 'node:zlib', format: 'zstd', decompress: through(() => create(options)) }
})()

function through(create: () => Transform): Decompress {
  return async function* decompress(compressed, { signal }) {
    const output = create()
    let failure: unknown
    const done = writeChunks(output, compressed.chunks(), signal).catch((error: unknown) => {
      // What follows the end of a stream is passed over, and it then says that it was cut off.
      if (!output.readableEnded) failure = error
      output.destroy()
    })
    try {
      for await (const chunk of output as AsyncIterable<Buffer>) {
        yield chunk
        // Chunks fill a piece of memory one after another, and what is full is of no use any more.
        const { buffer, byteOffset, byteLength } = chunk
        if (byteOffset + byteLength === buffer.byteLength) freeMemory(buffer as ArrayBuffer)
      }
    } catch (error) {
      failure ??= error
    } finally {
      output.destroy()
      await done
    }
    if (failure !== undefined) throw damagedUnlessCoded(failure)
  }
}

/** zlib's own errors say that the stream is damaged; those of the source keep their code. */
function damagedUnlessCoded(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (errorCode(error) !== 'unknown' || code === undefined || !/^(Z_|ZSTD_)/.test(code)) return error
  return new NsboxError('data_loss', `the layer cannot be decompressed: ${(error as Error).message}`, {
    cause: error,
  })
}
