import { CountedLayer } from '../apply/counted-layer.ts'
import { checkPlainSize, defaultLayerLimits, type LayerLimits } from '../apply/layer-limits.ts'
import { engineFor } from '../decompress/engines.ts'
import { sniffCompression } from '../decompress/sniff.ts'

/** How to decompress an archive. */
export interface PlainBytesOptions {
  /** Each limit by default as `LayerLimits` says. */
  readonly limits?: Partial<LayerLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The bytes of an archive, decompressed if its first bytes show gzip or zstd. Ending the iteration early releases
 * everything.
 *
 * @throws `data_loss` for a damaged stream, `resource_exhausted` beyond a limit
 */
export async function* plainBytes(
  source: AsyncIterable<Uint8Array>,
  { limits, signal }: PlainBytesOptions = {},
): AsyncGenerator<Buffer> {
  await using archive = new CountedLayer(buffers(source))
  const compression = sniffCompression(await archive.start())
  if (compression === 'none') {
    yield* archive.chunks()
    return
  }
  const allowed = { ...defaultLayerLimits, ...limits }
  let size = 0
  for await (const chunk of engineFor(compression).decompress(archive, { signal })) {
    size += chunk.length
    checkPlainSize('archive', size, archive.bytes, allowed)
    yield chunk
  }
  await archive.drain()
}

async function* buffers(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const { buffer, byteOffset, byteLength } of source)
    yield Buffer.from(buffer, byteOffset, byteLength)
}
