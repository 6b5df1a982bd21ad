import { randomUUID } from 'node:crypto'
import { MessageChannel } from 'node:worker_threads'
import type { ContentManager, ContentWriter, IngestManager } from '@nsbox/core/content'
import type { CompareOptions, Comparer, DiffMount } from '@nsbox/core/diff'
import { isAlreadyExists, NsboxError } from '@nsbox/errors'
import { type LayerCompression, labelKeys, mediaTypes } from '@nsbox/oci'
import { receiveBytes } from '../compare/byte-channel.ts'
import type { LayerSource } from '../compare/layer-source.ts'
import type { MadeLayer } from '../compare/make-layer.ts'
import { isMergedOnly } from '../compare/tree-error.ts'
import { topLayerOn, withTree } from '../compare/tree-mounts.ts'
import { compressionToMake } from '../compress/layer-media-type.ts'
import type { LayerWorkers } from './layer-workers.ts'

export interface LocalComparerOptions {
  readonly workers: LayerWorkers
  /** The store for layers. */
  readonly content: Pick<IngestManager, 'writer' | 'abort'> & Pick<ContentManager, 'update'>
}

/**
 * A `Comparer` of trees on this host, which works in threads. Of an overlay on top of the lower tree only the topmost
 * layer is read; trees that are not directories of the host are mounted, read-only and hidden from others, which needs
 * the right to mount.
 *
 * It supports every media type of the interface; `+zstd` needs the zstd program or a Node that has it. After a failure
 * the ingest is removed.
 */
export function localComparer({ workers, content }: LocalComparerOptions): Comparer {
  return {
    async compare(lower, upper, options = {}) {
      const { mediaType = mediaTypes.ociLayerGzip, ref = `diff-${randomUUID()}`, signal } = options
      const compression = compressionToMake(mediaType)
      if (upper.length === 0) throw new NsboxError('invalid_argument', 'making a layer of no mounts')
      signal?.throwIfAborted()
      let writer: ContentWriter | undefined
      try {
        writer = await content.writer({ ref }, { signal })
        if (writer.status().offset > 0) await writer.restart({ signal })
        const output = { workers, writer, compression, signal }
        const made = await compareTrees(lower, upper, { ...output, sourceDateEpoch: options.sourceDateEpoch })
        await commit(content, writer, made, { ...options, compression })
        return { mediaType, digest: made.digest, size: made.size }
      } catch (error) {
        // An ingest that could not be opened belongs to another writer. If removing ours fails, it expires.
        if (writer !== undefined) {
          await writer[Symbol.asyncDispose]()
          await content.abort(ref).catch(() => {})
        }
        throw error
      }
    },
  }
}

interface Output {
  readonly workers: LayerWorkers
  readonly writer: ContentWriter
  readonly compression: LayerCompression
  readonly sourceDateEpoch: Date | undefined
  readonly signal: AbortSignal | undefined
}

async function compareTrees(
  lower: readonly DiffMount[],
  upper: readonly DiffMount[],
  output: Output,
): Promise<MadeLayer> {
  const sourceDateEpoch = output.sourceDateEpoch?.getTime()
  const { signal } = output
  return await withTree(
    lower,
    async (lowerDirectory) => {
      const make = (source: Pick<LayerSource, 'upper' | 'form'>) =>
        writeTo(output, { ...source, lower: lowerDirectory, sourceDateEpoch })
      const top = topLayerOn(lower, upper)
      if (top !== undefined) {
        try {
          return await make({ upper: top.directory, form: top.form })
        } catch (error) {
          if (!isMergedOnly(error)) throw error
        }
      }
      return await withTree(upper, (directory) => make({ upper: directory!, form: 'plain' }), { signal })
    },
    { signal },
  )
}

/** Makes a worker make the layer, and writes the bytes that it sends. Once this has settled, the worker is idle. */
async function writeTo(output: Output, source: LayerSource): Promise<MadeLayer> {
  const { workers, writer, compression, signal } = output
  const { port1, port2 } = new MessageChannel()
  const failed = new AbortController()
  const abort = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const made = workers.compare({ source, compression, output: port2 }, { signal: abort })
  try {
    for await (const bytes of receiveBytes(port1, made)) await writer.write(bytes, { signal })
  } catch (error) {
    failed.abort(error)
    await made.catch(() => {})
    throw error
  }
  return await made
}

async function commit(
  content: LocalComparerOptions['content'],
  writer: ContentWriter,
  { digest, size, diffId }: MadeLayer,
  options: CompareOptions & { readonly compression: LayerCompression },
): Promise<void> {
  const { compression, signal } = options
  const labels =
    compression === 'none' ? { ...options.labels } : { ...options.labels, [labelKeys.uncompressed]: diffId }
  try {
    await writer.commit({ expected: digest, size, labels, signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await content.update(digest, { merge: labels }, { signal })
  }
}
