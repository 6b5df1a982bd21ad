import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  formatPlatform,
  isIndex,
  isManifest,
  type Manifest,
  onlyPlatform,
  type Platform,
  selectManifests,
} from '@nsbox/oci'
import type { ContentReader } from './content-store.ts'
import { readIndex, readManifest } from './read-document.ts'

/** How deep indexes may refer to indexes; real images need two levels. */
export const maxIndexDepth = 16

/** How to find a manifest. */
export interface FindManifestOptions extends AbortOptions {
  readonly platform: Platform
  /** Waits until a document can be read; by default all exist. */
  readonly arrival?: ((document: Descriptor, options: AbortOptions) => Promise<void>) | undefined
}

/**
 * The manifest of an image for a platform: the best of each index on the way. An image that is a manifest has only that
 * one, for any platform. Undefined for an index without manifests, such as a checkpoint without the image of its
 * container.
 *
 * @throws `not_found` if an index has nothing for the platform; `invalid_argument` if it is nested deeper than 16
 * levels, or leads to something else; as `readManifest`
 */
export async function findManifest(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, arrival = async () => undefined, signal }: FindManifestOptions,
): Promise<(Manifest & { readonly descriptor: Descriptor }) | undefined> {
  let descriptor = target
  for (let depth = 0; isIndex(descriptor.mediaType); depth += 1) {
    if (depth > maxIndexDepth)
      throw new NsboxError('invalid_argument', `image ${target.digest}: nested deeper than ${maxIndexDepth}`)
    await arrival(descriptor, { signal })
    const { manifests } = await readIndex(content, descriptor, { signal })
    const documents = manifests.filter(({ mediaType }) => isManifest(mediaType) || isIndex(mediaType))
    if (documents.length === 0 && manifests.length > 0) return undefined
    const [best] = selectManifests({ manifests: documents }, onlyPlatform(platform))
    if (best === undefined) {
      const wanted = formatPlatform(platform)
      throw new NsboxError('not_found', `index ${descriptor.digest}: no manifest for ${wanted}`)
    }
    descriptor = best
  }
  if (!isManifest(descriptor.mediaType)) {
    const mediaType = JSON.stringify(descriptor.mediaType)
    throw new NsboxError('invalid_argument', `${descriptor.digest} of media type ${mediaType} is no manifest`)
  }
  await arrival(descriptor, { signal })
  return { ...(await readManifest(content, descriptor, { signal })), descriptor }
}
