import type { Semaphore } from '@nsbox/concurrency'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import { hasLayerDirectories } from '@nsbox/core/snapshots'
import type { ProgressListener, Remote } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, isIndex, isManifest, type Platform } from '@nsbox/oci'
import { recordImage } from '../documents/record-image.ts'
import type { FetchSummary } from '../fetch/fetch-tree.ts'
import { createFlights, type Flights } from '../flights/flights.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import type { UnpackedImage } from '../unpack/unpack.ts'
import { fetchAndUnpack, type UnpackWish } from './fetch-and-unpack.ts'
import { createFollowers } from './followers.ts'

/** How to fetch. */
export interface FetchOptions extends AbortOptions {
  readonly remote: Remote
  /** Where blobs go; bound to a lease if a collector could run meanwhile. */
  readonly content: ContentStore
  /** Platforms to take; all of them if absent or empty. Of each platform, the best match of an index. */
  readonly platforms?: readonly Platform[] | undefined
  /** Take the manifests and configs of all platforms, but layers only of the chosen ones; not by default. */
  readonly allMetadata?: boolean | undefined
  /** Blobs to download at once; 3 by default, where two cores are busy. */
  readonly concurrency?: number | undefined
  /** Shared with other pulls so that no blob is downloaded twice at once. */
  readonly flights?: Flights | undefined
  /** Where to unpack the image, each layer while it is downloaded; nowhere by default. */
  readonly unpack?: readonly UnpackWish[] | undefined
  /**
   * Bounds how many layers keep a thread of the applier busy while they are downloaded; others are applied when they
   * have come. Shared with other pulls as `flights` is; by default one less than there are processors, and at least
   * one.
   */
  readonly followers?: Semaphore | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** What a fetch did, and to what. */
export interface Fetched extends FetchSummary {
  readonly target: Descriptor
  /** What was unpacked, in the order of `unpack`; undefined for an artifact that is no image, which is only fetched. */
  readonly unpacked: readonly (UnpackedImage | undefined)[]
}

/** How to pull. */
export interface PullOptions extends FetchOptions {
  readonly images: ImageStore
  /** Name of the image; the remote's reference by default. */
  readonly name?: string | undefined
  readonly labels?: Labels | undefined
}

/**
 * Resolves a reference, fetches its content and unpacks it where that is wished, without recording an image.
 *
 * @throws `invalid_argument` if the reference leads to something that is no image, `not_found` if it has nothing for
 * the platforms; the errors of the remote and the store, and those of `unpack`. The first failure ends everything. What
 * was fetched by then stays as ingests and blobs, and what was unpacked as committed snapshots, which nothing but the
 * lease holds, so that another attempt goes on from there.
 */
export async function fetchImage(options: FetchOptions): Promise<Fetched> {
  using progress = new ProgressTracker(options.onProgress)
  return await fetchWith(progress, options)
}

/** Fetches an image and records it under its name; an image of that name then points to what was fetched. */
export async function pullImage(options: PullOptions): Promise<Omit<Fetched, 'target'> & { image: Image }> {
  const { remote, images, signal } = options
  const name = options.name ?? remote.reference
  using progress = new ProgressTracker(options.onProgress)
  const { target, ...summary } = await fetchWith(progress, options)
  const image = await recordImage(images, { name, target, labels: options.labels ?? {} }, { signal })
  progress.say('saved', { name, descriptor: target })
  progress.say(`Completed pull from ${remote.reference}`)
  return { ...summary, image }
}

async function fetchWith(progress: ProgressTracker, options: FetchOptions): Promise<Fetched> {
  const { remote, platforms = [], unpack: wishes = [], signal } = options
  progress.say(`Resolving from ${remote.reference}`)
  const target = await remote.resolve({ signal })
  if (!isIndex(target.mediaType) && !isManifest(target.mediaType)) {
    throw new NsboxError(
      'invalid_argument',
      `${remote.reference}: media type "${target.mediaType}" is neither an index nor a manifest of an image`,
    )
  }
  progress.say('pulling image content', { name: remote.reference, descriptor: target })
  const fetching = {
    remote,
    content: options.content,
    platforms: platforms.length === 0 ? [] : [...platforms, ...wishes.map(({ platform }) => platform)],
    allMetadata: options.allMetadata ?? false,
    concurrency: options.concurrency ?? 3,
    flights: options.flights ?? createFlights(),
    followers: options.followers ?? createFollowers(),
    progress,
    inOrder: wishes.some(({ snapshotter }) => !hasLayerDirectories(snapshotter)),
  }
  return { target, ...(await fetchAndUnpack(target, wishes, { ...fetching, signal })) }
}
