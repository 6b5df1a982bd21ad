import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'

/**
 * Compresses bytes by gzip. The header has no time and no name, so that the same bytes give the same result with the same
 * build of zlib; another build may find other matches.
 */
export async function* gzipBytes(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const plain = Readable.from(source, { objectMode: true })
  // A failure of the source is what the iteration throws.
  const zipped = pipeline(plain, createGzip({ chunkSize: 256 * 1024 }), () => {})
  try {
    for await (const chunk of zipped) yield chunk as Uint8Array
  } finally {
    zipped.destroy()
  }
}
