import type { Applier } from '@nsbox/core/diff'
import type { AbortOptions, Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound } from '@nsbox/errors'
import { areImageLabels, snapshotExists, unpackThrough } from '@nsbox/images'
import type { Metadata } from '@nsbox/metadata'
import { isDigest, labelKeys } from '@nsbox/oci'
import type { Logger } from 'pino'
import type { FlightsOf } from '../transfer/flights-by-namespace.ts'
import { type LeasedImage, LeasedImages } from './leased-images.ts'

/** What unpacking needs. */
export interface UnpackAheadParts {
  readonly metadata: Pick<Metadata, 'namespace'>
  /** Of the blobs of all namespaces. */
  readonly applier: Applier
  readonly flights: FlightsOf
  readonly log: Logger
}

/** The namespace, lease and snapshotter of a call. */
export interface LeasedSnapshots {
  readonly namespace: string
  readonly lease: string
  readonly snapshotterName: string
}

/**
 * Unpacks images ahead for clients that unpack layer by layer. Before it makes a snapshot, such a client asks for it by
 * its chain id, with `stat` or with the label `containerd.io/snapshot.ref` (docs/behaviour.md §5), and its lease holds
 * the image. Then all layers that are here are unpacked in parallel, and the answer is that the snapshot exists.
 *
 * The snapshots are held by the client's lease, and the end of its call aborts the work. If it fails, the client goes
 * on by itself and meets the error.
 */
export class UnpackAhead {
  readonly #parts: UnpackAheadParts
  readonly #images = new LeasedImages()

  constructor(parts: UnpackAheadParts) {
    this.#parts = parts
  }

  /** A snapshotter that unpacks ahead, for a call under a lease. */
  for(snapshotter: Snapshotter, caller: LeasedSnapshots): Snapshotter {
    return {
      ...snapshotter,
      stat: async (name, options = {}) => {
        try {
          return await snapshotter.stat(name, options)
        } catch (error) {
          if (!isNotFound(error) || !(await this.#unpack(snapshotter, name, caller, options))) throw error
          return await snapshotter.stat(name, options)
        }
      },
      prepare: async (key, parent, options = {}) => {
        const { labels = {}, signal } = options
        const target = labels[labelKeys.snapshotRef]
        if (target !== undefined && areImageLabels(labels))
          await this.#unpack(snapshotter, target, caller, { signal })
        return await snapshotter.prepare(key, parent, options)
      },
    }
  }

  /** @returns whether the snapshot exists now */
  async #unpack(
    snapshotter: Snapshotter,
    chainId: string,
    caller: LeasedSnapshots,
    { signal }: AbortOptions,
  ): Promise<boolean> {
    if (!isDigest(chainId)) return false
    const { metadata, flights, log } = this.#parts
    const { namespace, lease, snapshotterName } = caller
    let image: LeasedImage | undefined
    try {
      // Looked up without the lease, so that nothing is adopted: `prepare` does that.
      const own = metadata.namespace(namespace).snapshotter(snapshotterName)
      if (await snapshotExists(own, chainId, { signal })) return true
      const view = metadata.namespace(namespace, { lease })
      image = await this.#images.find(view, caller, chainId, { signal })
      if (image === undefined || image.isLeft) return false
      const applier = view.applier(this.#parts.applier)
      const destination = { snapshotter, snapshotterName, applier, content: view.content }
      return await unpackThrough(chainId, image.chain, {
        ...destination,
        flights: flights(namespace),
        signal,
      })
    } catch (err) {
      signal?.throwIfAborted()
      if (image !== undefined) image.isLeft = true
      log.info({ err, namespace, chainId }, 'unpacking layers ahead of a client')
      return false
    }
  }
}
