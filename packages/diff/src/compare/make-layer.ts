import type { MessagePort } from 'node:worker_threads'
import { createHasher, type Digest, type LayerCompression } from '@nsbox/oci'
import { compressorFor } from '../compress/compressor.ts'
import { ByteSender } from './byte-channel.ts'
import { inBlocks } from './in-blocks.ts'
import type { LayerSource } from './layer-source.ts'
import { writeLayer } from './write-layer.ts'

/** A layer to make; plain data but for the port, which is handed over. */
export interface MakeLayerJob {
  readonly source: LayerSource
  readonly compression: LayerCompression
  /** Where the layer's bytes are sent, compressed, to be read by `receiveBytes`. */
  readonly output: MessagePort
}

/** What a layer has become. */
export interface MadeLayer {
  /** Digest of the archive before compression. */
  readonly diffId: Digest
  /** Digest of what was sent. */
  readonly digest: Digest
  /** Bytes that were sent. */
  readonly size: number
}

/**
 * Makes a layer of the difference of two trees: writes, hashes and compresses it in one pass. It runs on any thread,
 * which its system calls block; compression runs beside it.
 *
 * @throws what `writeLayer` throws, for its reasons that are about the trees before anything is sent
 */
export async function makeLayer(
  { source, compression, output }: MakeLayerJob,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<MadeLayer> {
  const { signal } = options
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
