import type { Applier } from '@nsbox/core/diff'
import type { AbortOptions, Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { areImageLabels, snapshotExists, unpackThrough } from '@nsbox/images'
import type { Metadata } from '@nsbox/metadata'
import { isDigest, labelKeys } from '@nsbox/oci'
import type { Logger } from 'pino'
import type { ServerCounts } from '../counts/server-counts.ts'
import type { FlightsOf } from '../flights-by-namespace.ts'
import type { Tracer } from '../tracing/tracer.ts'
import { aroundStage } from './around-stage.ts'
import { type LeasedImage, LeasedImages } from './leased-images.ts'

/** What unpacking needs. */
export interface UnpackAheadParts {
  readonly metadata: Pick<Metadata, 'namespace'>
  /** Of the blobs of all namespaces. */
  readonly applier: Applier
  readonly flights: FlightsOf
  readonly counts: Pick<ServerCounts, 'unpacked'>
  readonly tracer: Tracer
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
 *
 * Such a client does not fetch the layers of snapshots that are there. So of what another namespace has unpacked it
 * gets both, or neither.
 */
export class UnpackAhead {
  readonly #parts: UnpackAheadParts
  readonly #images = new LeasedImages()

  constructor(parts: UnpackAheadParts) {
    this.#parts = parts
  }

  /**
   * A snapshotter for a call under a lease.
   * @param mayUnpack false for a call that is to be answered at once
   */
  for(snapshotter: Snapshotter, caller: LeasedSnapshots, mayUnpack: boolean): Snapshotter {
    return {
      ...snapshotter,
      stat: async (name, options = {}) => {
        const own = await undefinedIf(isNotFound, this.#ownSnapshots(caller).stat(name, options))
        if (own !== undefined) return own
        const image = await this.#imageWith(name, caller, options)
        const adopting = image === undefined ? snapshotter : this.#adopting(image, caller)
        try {
          return await adopting.stat(name, options)
        } catch (error) {
          if (!isNotFound(error) || !mayUnpack || image === undefined) throw error
          if (!(await this.#unpack(adopting, name, image, caller, options))) throw error
          return await adopting.stat(name, options)
        }
      },
      prepare: async (key, parent, options = {}) => {
        const { labels = {}, signal } = options
        const target = labels[labelKeys.snapshotRef]
        const image = target && (await this.#imageWith(target, caller, { signal }))
        if (!image) return await snapshotter.prepare(key, parent, options)
        const adopting = this.#adopting(image, caller)
        if (mayUnpack && areImageLabels(labels))
          await this.#unpack(adopting, target, image, caller, { signal })
        return await adopting.prepare(key, parent, options)
      },
    }
  }

  /** What the namespace has; nothing is adopted by asking for it. */
  #ownSnapshots({ namespace, snapshotterName }: LeasedSnapshots): Snapshotter {
    return this.#parts.metadata.namespace(namespace).snapshotter(snapshotterName)
  }

  /** The caller's snapshots, which get the layers of an image with what they adopt of it. */
  #adopting({ chain }: LeasedImage, { namespace, lease, snapshotterName }: LeasedSnapshots): Snapshotter {
    const contentOf = (chainId: string) =>
      chain.slice(0, chain.findIndex((link) => link.chainId === chainId) + 1).map(({ layer }) => layer)
    return this.#parts.metadata.namespace(namespace, { lease }).snapshotter(snapshotterName, { contentOf })
  }

  /** The image that has the snapshot, if the caller's lease holds it. */
  async #imageWith(
    chainId: string,
    caller: LeasedSnapshots,
    { signal }: AbortOptions,
  ): Promise<LeasedImage | undefined> {
    if (!isDigest(chainId)) return undefined
    const view = this.#parts.metadata.namespace(caller.namespace, { lease: caller.lease })
    try {
      return await this.#images.find(view, caller, chainId, { signal })
    } catch (error) {
      // The client is told by what it does next that there is no such lease.
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** @returns whether the snapshot exists now */
  async #unpack(
    snapshotter: Snapshotter,
    chainId: string,
    image: LeasedImage,
    caller: LeasedSnapshots,
    { signal }: AbortOptions,
  ): Promise<boolean> {
    const { metadata, flights, counts, tracer, log } = this.#parts
    const { namespace, lease, snapshotterName } = caller
    try {
      if (await snapshotExists(this.#ownSnapshots(caller), chainId, { signal })) return true
      if (image.isLeft) return false
      const view = metadata.namespace(namespace, { lease })
      const applier = view.applier(this.#parts.applier)
      const destination = { snapshotter, snapshotterName, applier, content: view.content }
      return await unpackThrough(chainId, image.chain, {
        ...destination,
        flights: flights(namespace),
        aroundStage: aroundStage(counts, tracer, snapshotterName),
        signal,
      })
    } catch (err) {
      signal?.throwIfAborted()
      image.isLeft = true
      log.info({ err, namespace, chainId }, 'unpacking layers ahead of a client')
      return false
    }
  }
}
