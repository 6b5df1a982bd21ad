import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import type { ProgressListener, Remote } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, isIndex, isManifest, type Platform } from '@nsbox/oci'
import { type FetchSummary, fetchTree } from './fetch-tree.ts'
import { createFlights, type Flights } from './flights.ts'
import { ProgressTracker } from './progress-tracker.ts'
import { recordImage } from './record-image.ts'

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
  readonly onProgress?: ProgressListener | undefined
}

/** How to pull. */
export interface PullOptions extends FetchOptions {
  readonly images: ImageStore
  /** Name of the image; the remote's reference by default. */
  readonly name?: string | undefined
  readonly labels?: Labels | undefined
}

/**
 * Resolves a reference and fetches its content, without recording an image.
 *
 * @throws `invalid_argument` if the reference leads to something that is no image, `not_found` if it has nothing for
 * the platforms; the errors of the remote and the store. What was fetched before a failure stays as ingests and blobs
 * that nothing but the lease holds, so that another attempt goes on from there.
 */
export async function fetch(options: FetchOptions): Promise<FetchSummary & { target: Descriptor }> {
  using progress = new ProgressTracker(options.onProgress)
  return await fetchWith(progress, options)
}

/** Fetches an image and records it under its name; an image of that name then points to what was fetched. */
export async function pull(options: PullOptions): Promise<FetchSummary & { image: Image }> {
  const { remote, images, signal } = options
  const name = options.name ?? remote.reference
  using progress = new ProgressTracker(options.onProgress)
  const { target, ...summary } = await fetchWith(progress, options)
  const image = await recordImage(images, { name, target, labels: options.labels ?? {} }, { signal })
  progress.state({ event: 'saved', name, parents: [], progress: 0, total: 0, descriptor: target })
  progress.say(`Completed pull from ${remote.reference}`)
  return { ...summary, image }
}

async function fetchWith(
  progress: ProgressTracker,
  options: FetchOptions,
): Promise<FetchSummary & { target: Descriptor }> {
  const { remote, signal } = options
  progress.say(`Resolving from ${remote.reference}`)
  const target = await remote.resolve({ signal })
  if (!isIndex(target.mediaType) && !isManifest(target.mediaType)) {
    throw new NsboxError(
      'invalid_argument',
      `${remote.reference}: media type "${target.mediaType}" is neither an index nor a manifest of an image`,
    )
  }
  progress.state({
    event: 'pulling image content',
    name: remote.reference,
    parents: [],
    progress: 0,
    total: 0,
    descriptor: target,
  })
  const summary = await fetchTree(target, {
    remote,
    content: options.content,
    platforms: options.platforms ?? [],
    allMetadata: options.allMetadata ?? false,
    concurrency: options.concurrency ?? 3,
    flights: options.flights ?? createFlights(),
    progress,
    signal,
  })
  return { ...summary, target }
}
