import type { MessagePort } from 'node:worker_threads'
import type { AbortOptions } from '@nsbox/concurrency'
import { createHasher, type Digest, type LayerCompression } from '@nsbox/oci'
import { compressorFor } from '../compress/compressor.ts'
import { ByteSender } from './byte-channel.ts'
import { inBlocks } from './in-blocks.ts'
import type { LayerSource } from './layer-source.ts'
import { writeLayer } from './write-layer.ts'

/** A layer to make. Plain data except for the port, which is transferred. */
export interface MakeLayerJob {
  readonly source: LayerSource
  readonly compression: LayerCompression
  /** Port for the layer's compressed bytes, to be read by `receiveBytes`. */
  readonly output: MessagePort
}

/** The layer that was made. */
export interface MadeLayer {
  /** Digest of the archive before compression. */
  readonly diffId: Digest
  /** Digest of the sent bytes. */
  readonly digest: Digest
  /** Number of sent bytes. */
  readonly size: number
}

/**
 * Makes a layer of the difference of two trees: writes, hashes and compresses it in one pass. It blocks the calling
 * thread; compression runs beside it.
 *
 * @throws as `writeLayer`; errors about the trees before anything is sent
 */
export async function makeLayer(
  { source, compression, output }: MakeLayerJob,
  { signal }: AbortOptions = {},
): Promise<MadeLayer> {
  const sender = new ByteSender(output)
  const [plainHasher, hasher] = [createHasher(), createHasher()]
  const plain = async function* () {
    for await (const block of inBlocks(writeLayer(source, { signal }))) {
      signal?.throwIfAborted()
      plainHasher.update(block)
      yield block
    }
  }
  const compressed = compression === 'none' ? plain() : compressorFor(compression)(plain(), { signal })
  let size = 0
  for await (const chunk of compressed) {
    hasher.update(chunk)
    size += chunk.length
    await sender.send(chunk, signal)
  }
  sender.end()
  return { diffId: plainHasher.digest(), digest: hasher.digest(), size }
}
