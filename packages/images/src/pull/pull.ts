import type { Semaphore } from '@nsbox/concurrency'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import { hasLayerDirectories } from '@nsbox/core/snapshots'
import type { ProgressListener, Remote } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, isIndex, isManifest } from '@nsbox/oci'
import type { ImageChoice } from '../documents/choose-children.ts'
import { recordImage } from '../documents/record-image.ts'
import type { FetchSummary } from '../fetch/fetch-tree.ts'
import { createFlights, type Flights } from '../flights/flights.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import { registryName } from '../progress/registry-name.ts'
import type { UnpackedImage } from '../unpack/unpack.ts'
import { fetchAndUnpack, type UnpackWish } from './fetch-and-unpack.ts'
import { createFollowers } from './followers.ts'

/** How to fetch. */
export interface FetchOptions extends ImageChoice, AbortOptions {
  readonly remote: Remote
  /** Store for blobs; bound to a lease if a collector could run meanwhile. */
  readonly content: ContentStore
  /** Whether the layers of the chosen platforms are fetched, which `unpack` needs; they are by default. */
  readonly layers?: boolean | undefined
  /** Most downloads at once; 3 by default, which keeps two cores busy. */
  readonly concurrency?: number | undefined
  /** Shared with other pulls so that no blob is downloaded twice at once. */
  readonly flights?: Flights | undefined
  /** Where to unpack the image, each layer while it is downloaded; not at all by default. */
  readonly unpack?: readonly UnpackWish[] | undefined
  /**
   * Bounds how many layers occupy a thread of the applier while they are downloaded; others are applied afterwards.
   * Shared with other pulls like `flights`; by default one less than there are processors, and at least one.
   */
  readonly followers?: Semaphore | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** The result of a fetch, with its target. */
export interface Fetched extends FetchSummary {
  readonly target: Descriptor
  /** The unpacked images, in the order of `unpack`; undefined for another artifact, which is only fetched. */
  readonly unpacked: readonly (UnpackedImage | undefined)[]
}

/** How to pull. */
export interface PullOptions extends FetchOptions {
  readonly images: ImageStore
  /** Names of the image, at least one; the remote's reference by default. */
  readonly names?: ((target: Descriptor) => readonly string[]) | undefined
  readonly labels?: Labels | undefined
}

/**
 * Resolves a reference, fetches its content and unpacks it if requested, without recording an image.
 *
 * @throws `invalid_argument` if the reference leads to something that is no image, `not_found` if it has nothing for
 * the platforms; the errors of the remote and the store, and those of `unpack`. The first failure ends everything.
 * Fetched content stays as ingests and blobs, and unpacked layers as committed snapshots, held only by the lease, so
 * that another attempt can resume.
 */
export async function fetchImage(options: FetchOptions): Promise<Fetched> {
  using progress = new ProgressTracker(options.onProgress)
  return await fetchWith(progress, options)
}

/**
 * Fetches an image and records it under its names; existing images with these names then point to it.
 *
 * @returns the image of the first name
 */
export async function pullImage(options: PullOptions): Promise<Omit<Fetched, 'target'> & { image: Image }> {
  const { remote, images, names = () => [remote.reference], labels = {}, signal } = options
  using progress = new ProgressTracker(options.onProgress)
  const { target, ...summary } = await fetchWith(progress, options)
  const recorded: Image[] = []
  for (const name of names(target)) {
    recorded.push(await recordImage(images, { name, target, labels }, { signal }))
    progress.say('saved', { name, descriptor: target })
  }
  progress.say(`Completed pull from ${registryName(remote.reference)}`)
  return { ...summary, image: recorded[0] as Image }
}

async function fetchWith(progress: ProgressTracker, options: FetchOptions): Promise<Fetched> {
  const { remote, platforms = [], manifestLimit, unpack: wishes = [], signal } = options
  if (manifestLimit !== undefined && manifestLimit < wishes.length)
    throw new NsboxError(
      'invalid_argument',
      `at most ${manifestLimit} manifests of an index, and ${wishes.length} to unpack`,
    )
  progress.say(`Resolving from ${registryName(remote.reference)}`)
  const target = await remote.resolve({ signal })
  if (!isIndex(target.mediaType) && !isManifest(target.mediaType)) {
    throw new NsboxError(
      'invalid_argument',
      `${remote.reference}: media type "${target.mediaType}" is neither an index nor a manifest of an image`,
    )
  }
  progress.say(`Pulling from ${registryName(remote.reference)}`)
  progress.say('fetching image content', { name: remote.reference, descriptor: target })
  const toUnpack = wishes.map(({ platform }) => platform)
  const fetching = {
    remote,
    content: options.content,
    platforms: platforms.length === 0 ? [] : [...platforms, ...toUnpack],
    first: toUnpack,
    allMetadata: options.allMetadata,
    layers: options.layers,
    manifestLimit,
    concurrency: options.concurrency ?? 3,
    flights: options.flights ?? createFlights(),
    followers: options.followers ?? createFollowers(),
    progress,
    inOrder: wishes.some(({ snapshotter }) => !hasLayerDirectories(snapshotter)),
  }
  return { target, ...(await fetchAndUnpack(target, wishes, { ...fetching, signal })) }
}
