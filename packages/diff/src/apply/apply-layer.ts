import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { createHasher, type Digest, digestAlgorithm } from '@nsbox/oci'
import { engineFor } from '../decompress/engines.ts'
import { compressionOf } from '../decompress/sniff.ts'
import type { Extracted } from '../extract/extracted.ts'
import type { LayerForm } from '../extract/layer-form.ts'
import { TreeWriter } from '../extract/tree-writer.ts'
import { fileRights } from '../ownership/file-rights.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { CountedLayer } from './counted-layer.ts'
import { checkPlainSize, defaultLayerLimits, type LayerLimits } from './layer-limits.ts'
import { type LayerFile, openLayer } from './read-layer.ts'

/** One layer to apply to one directory. Plain data, to be sent to a worker thread. */
export interface ApplyJob {
  readonly layer: LayerFile
  readonly mediaType: string
  /** The directory for the layer's tree. It must exist; nobody else may change it meanwhile. */
  readonly root: string
  readonly form: LayerForm
  /** Digest that the archive must have once it is decompressed; not checked by default. */
  readonly diffId?: Digest | undefined
  /** Each limit by default as `LayerLimits` says. */
  readonly limits?: Partial<LayerLimits> | undefined
  /** Whether programs of the host (igzip, zstd) may decompress; true by default. */
  readonly programs?: boolean | undefined
}

/** The result of applying a layer. */
export interface AppliedTree extends Extracted {
  /** Digest of the archive after decompression. */
  readonly diffId: Digest
  /** Bytes of the archive after decompression. */
  readonly size: number
}

/**
 * Applies a layer: reads, decompresses, hashes, verifies and extracts it in one pass. It blocks the calling thread;
 * decompression runs beside it.
 *
 * On failure the directory holds part of the layer and must be discarded. Nothing outside of it is ever changed.
 *
 * @throws `unimplemented` for a media type that is no layer's; `invalid_argument` for entries that no layer may have,
 * `resource_exhausted` beyond a limit or on a full disk, `data_loss` for a damaged layer or one of the wrong size,
 * `failed_precondition` for a wrong diff id or names that the file system treats as one, `aborted` if a growing file is
 * started again. Errors about an entry have the detail `entry`.
 */
export async function applyLayer(job: ApplyJob, { signal }: AbortOptions = {}): Promise<AppliedTree> {
  const limits = { ...defaultLayerLimits, ...job.limits }
  signal?.throwIfAborted()
  await using file = await openLayer(job.layer)
  const { whole } = file
  await using layer = new CountedLayer(
    file.read(signal),
    whole === undefined ? undefined : { fd: whole, size: job.layer.size },
  )
  const compression = compressionOf(job.mediaType, await layer.start())
  const plain =
    compression === 'none'
      ? layer.chunks()
      : engineFor(compression, { programs: job.programs, size: job.layer.size }).decompress(layer, { signal })
  const hasher = createHasher(job.diffId === undefined ? 'sha256' : digestAlgorithm(job.diffId))
  const { form } = job
  const { size: fileSize, kept } = limits
  using tree = new TreeWriter(job.root, { form, rights: fileRights(), fileSize, kept })
  const parser = new TarParser(tree, limits.headers)
  let size = 0
  for await (const chunk of plain) {
    signal?.throwIfAborted()
    size += chunk.length
    checkPlainSize('layer', size, layer.bytes, limits)
    hasher.update(chunk)
    parser.push(chunk)
  }
  parser.finish()
  // A decompressor may stop at the end of its stream, but the layer must have the announced size.
  await layer.drain()
  const diffId = hasher.digest()
  if (job.diffId !== undefined && diffId !== job.diffId)
    throw new NsboxError('failed_precondition', `unexpected diff id ${diffId}, expected ${job.diffId}`)
  return { ...tree.finish(), diffId, size }
}
