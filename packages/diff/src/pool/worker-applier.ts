import type { Applier } from '@nsbox/core/diff'
import type { Digest } from '@nsbox/oci'
import type { LayerLimits } from '../apply/layer-limits.ts'
import { layerTarget } from '../apply/layer-target.ts'
import type { LayerWorkers } from './layer-workers.ts'

export interface WorkerApplierOptions {
  readonly workers: LayerWorkers
  /** The path of a committed blob. @throws `not_found` */
  readonly blobPath: (digest: Digest) => Promise<string>
  /** Each limit by default as `LayerLimits` says. */
  readonly limits?: Partial<LayerLimits> | undefined
  /** Called with descriptions of what of a layer could not be made here, 100 at most. */
  readonly onSkipped?: ((layer: Digest, skipped: readonly string[]) => void) | undefined
}

/** An `Applier` that works in threads, for blobs that are files. */
export function workerApplier({ workers, blobPath, limits, onSkipped }: WorkerApplierOptions): Applier {
  return {
    async apply(layer, mounts, { diffId, arriving, signal } = {}) {
      signal?.throwIfAborted()
      const target = layerTarget(mounts)
      const file = arriving ?? { path: await blobPath(layer.digest) }
      const job = {
        ...target,
        layer: { ...file, size: layer.size },
        mediaType: layer.mediaType,
        diffId,
        limits,
      }
      const applied = await workers.apply(job, { signal })
      if (applied.skipped.length > 0) onSkipped?.(layer.digest, applied.skipped)
      return { diffId: applied.diffId, size: applied.size, implied: applied.implied }
    },
  }
}
