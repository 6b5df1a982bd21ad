import type { Transform, TransformOptions } from 'node:stream'
import * as zlib from 'node:zlib'
import { errorCode, NsboxError } from '@nsbox/errors'
import type { Decompress, DecompressionEngine } from './decompressor.ts'
import { freeMemory } from './free-memory.ts'
import { writeChunks } from './write-chunks.ts'

// Larger chunks than the default of 16 KiB, since each is a job for libuv's thread pool. One chunk may wait, so that
// the next is decompressed meanwhile. Object mode keeps Node from joining chunks.
const chunkSize = 1024 * 1024
const options: zlib.ZlibOptions & Pick<TransformOptions, 'readableHighWaterMark' | 'readableObjectMode'> = {
  chunkSize,
  readableHighWaterMark: 2,
  readableObjectMode: true,
}

/** gzip by Node's zlib, which works in libuv's thread pool. */
export const zlibEngine: DecompressionEngine = {
  name: 'node:zlib',
  format: 'gzip',
  decompress: through(() => zlib.createGunzip(options)),
}

interface ZlibWithZstd {
  readonly createZstdDecompress?: (settings: typeof options) => Transform
  readonly zstdDecompressSync?: (compressed: Uint8Array) => Buffer
}

/** A frame with the one byte `a`, uncompressed. */
const frame = Buffer.from('28b52ffd200109000061', 'hex')

/**
 * zstd by Node's own zlib, where it has it and reads all frames of a file: that of Node 22 ends after the first one,
 * and takes one that is cut off for whole. Undefined elsewhere.
 */
export const zlibZstdEngine: DecompressionEngine | undefined = (() => {
  const { createZstdDecompress: create, zstdDecompressSync: decompress } = zlib as ZlibWithZstd
  if (create === undefined || decompress === undefined) return undefined
  if (decompress(Buffer.concat([frame, frame])).length !== 2) return undefined
  return { name: 'node:zlib', format: 'zstd', decompress: through(() => create(options)) }
})()

function through(create: () => Transform): Decompress {
  return async function* decompress(compressed, { signal }) {
    const output = create()
    let failure: unknown
    const done = writeChunks(output, compressed.chunks(), signal).catch((error: unknown) => {
      // zlib ignores bytes after the end of a stream, and then reports that the stream is cut off.
      if (!output.readableEnded) failure = error
      output.destroy()
    })
    try {
      for await (const chunk of output as AsyncIterable<Buffer>) {
        yield chunk
        // zlib fills one buffer with several chunks; a full one is not used any more.
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
