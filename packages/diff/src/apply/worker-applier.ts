import type { Applier } from '@nsbox/core/diff'
import { isNotFound } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import type { LayerWorkers } from '../pool/layer-workers.ts'
import type { LayerLimits } from './layer-limits.ts'
import { layerTarget } from './layer-target.ts'
import type { LayerFile } from './read-layer.ts'

export interface WorkerApplierOptions {
  readonly workers: LayerWorkers
  /** The path of a committed blob. @throws `not_found` */
  readonly blobPath: (digest: Digest) => Promise<string>
  /** Each limit by default as `LayerLimits` says. */
  readonly limits?: Partial<LayerLimits> | undefined
}

/**
 * An `Applier` of blobs that are files, which works in threads. Mounts with `userxattr` mean that it is root in a user
 * namespace only. A layer that has arrived, and was moved to its place, before a thread came to it is read there.
 */
export function workerApplier({ workers, blobPath, limits }: WorkerApplierOptions): Applier {
  return {
    async apply(layer, mounts, { diffId, arriving, signal } = {}) {
      signal?.throwIfAborted()
      const target = layerTarget(mounts)
      const applyFrom = (file: Omit<LayerFile, 'size'>) => {
        const job = {
          ...target,
          layer: { ...file, size: layer.size },
          mediaType: layer.mediaType,
          userNamespace: target.form === 'overlay-user',
          diffId,
          limits,
        }
        return workers.apply(job, { signal })
      }
      const blob = async () => ({ path: await blobPath(layer.digest) })
      const {
        diffId: found,
        size,
        implied,
      } = arriving === undefined
        ? await applyFrom(await blob())
        : await applyFrom(arriving).catch(async (error: unknown) => {
            // Nothing was written yet: what is not found is the file.
            if (!isNotFound(error)) throw error
            return await applyFrom(await blob())
          })
      return { diffId: found, size, implied }
    },
  }
}
