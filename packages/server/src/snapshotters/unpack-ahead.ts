import type { Applier } from '@nsbox/core/diff'
import type { AbortOptions, Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound } from '@nsbox/errors'
import { areOfImage, snapshotExists, unpackThrough } from '@nsbox/images'
import type { Metadata } from '@nsbox/metadata'
import { isDigest, labelKeys } from '@nsbox/oci'
import type { Logger } from 'pino'
import type { FlightsOf } from '../flights-by-namespace.ts'
import { type LeasedImage, LeasedImages } from './leased-images.ts'

/** What images are unpacked with. */
export interface UnpackAheadParts {
  readonly metadata: Pick<Metadata, 'namespace'>
  /** Of the blobs of all namespaces. */
  readonly applier: Applier
  readonly flights: FlightsOf
  readonly log: Logger
}

/** Whose snapshots, and under which lease. */
export interface LeasedSnapshots {
  readonly namespace: string
  readonly lease: string
  readonly snapshotterName: string
}

/**
 * Unpacks for clients that ask for one layer after the other. Such a client asks for the snapshot of a chain id before it
 * makes it, by `stat` or with the label `containerd.io/snapshot.ref` (BEHAVIOUR.md §5, §13), and its lease holds the image
 * that it unpacks. So all layers that have come are unpacked at once, before it is answered that they are there.
 *
 * It is the client's own unpacking in another order: what is made is held by its lease, and its call ends it. Where it
 * cannot be done the client goes on by itself, and meets the reason.
 */
export class UnpackAhead {
  readonly #parts: UnpackAheadParts
  readonly #images = new LeasedImages()

  constructor(parts: UnpackAheadParts) {
    this.#parts = parts
  }

  /** The snapshots that a call under a lease is about. */
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
        if (target !== undefined && areOfImage(labels))
          await this.#unpack(snapshotter, target, caller, { signal })
        return await snapshotter.prepare(key, parent, options)
      },
    }
  }

  /** @returns whether the snapshot is there now */
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
      // Without the lease nothing is adopted, which is for `prepare` itself to do.
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
