import { Readable, type Transform, type TransformOptions } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { errorCode, NsboxError } from '@nsbox/errors'
import type { Decompress, DecompressionEngine } from './decompressor.ts'

// Bigger than the default of 16 KiB, since each chunk is a trip through libuv's pool; and one more may be held, so that
// the next is decompressed while one is taken.
const chunkSize = 256 * 1024
const options: zlib.ZlibOptions & Pick<TransformOptions, 'readableHighWaterMark'> = {
  chunkSize,
  readableHighWaterMark: 4 * chunkSize,
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
    const source = Readable.from(compressed.chunks(), { objectMode: true })
    const done = pipeline(source, output, { signal }).catch((error: unknown) => {
      failure = error
    })
    try {
      for await (const chunk of output) yield chunk as Buffer
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
