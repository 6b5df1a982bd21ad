import { mapConcurrently, type Semaphore } from '@nsbox/concurrency'
import { type AbortOptions, findManifest } from '@nsbox/core/content'
import type { Descriptor, Platform } from '@nsbox/oci'
import { isImage } from '../documents/is-image.ts'
import { type FetchSummary, type FetchTreeOptions, fetchTree } from '../fetch/fetch-tree.ts'
import { Arrivals } from '../flights/arrival.ts'
import { type UnpackedImage, unpackManifest } from '../unpack/unpack.ts'
import type { UnpackDestination } from '../unpack/unpack-layer.ts'

/** Unpacks the image of one platform. */
export interface UnpackWish extends UnpackDestination {
  readonly platform: Platform
}

/**
 * Fetches the content that a descriptor refers to, and unpacks the image for each wish as its documents and layers
 * arrive. The first failure ends both.
 */
export async function fetchAndUnpack(
  target: Descriptor,
  wishes: readonly UnpackWish[],
  options: FetchTreeOptions & { readonly followers: Semaphore },
): Promise<FetchSummary & { readonly unpacked: readonly (UnpackedImage | undefined)[] }> {
  const arrivals = new Arrivals()
  const unpacked = wishes.map((): UnpackedImage | undefined => undefined)
  let summary: FetchSummary = { objects: 0, bytesReceived: 0 }
  const fetching = async (signal: AbortSignal) => {
    summary = await fetchTree(target, { ...options, arrivals, signal })
    arrivals.close()
  }
  const unpackings = wishes.map((wish, index) => async (signal: AbortSignal) => {
    unpacked[index] = await unpackArriving(target, wish, { ...options, arrivals, signal })
  })
  await mapConcurrently([fetching, ...unpackings], async (task, either) => await task(either), {
    signal: options.signal,
  })
  return { ...summary, unpacked }
}

async function unpackArriving(
  target: Descriptor,
  { platform, ...destination }: UnpackWish,
  options: FetchTreeOptions & { readonly arrivals: Arrivals; readonly followers: Semaphore },
): Promise<UnpackedImage | undefined> {
  const { content, flights, progress, arrivals, followers, signal } = options
  const arrival = async ({ digest }: Descriptor, abort: AbortOptions) =>
    await arrivals.of(digest).there(abort)
  const manifest = await findManifest(content, target, { platform, arrival, signal })
  if (manifest === undefined) {
    progress.say('Nothing to unpack: the index has no manifest of an image')
    return undefined
  }
  if (isImage(manifest)) {
    const arriving = { arrivals, followers }
    return await unpackManifest(manifest, { ...destination, content, flights, progress, arriving, signal })
  }
  progress.say(`Nothing to unpack: config of media type ${manifest.config.mediaType}`)
  return undefined
}
