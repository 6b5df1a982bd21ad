import { type AbortOptions, type ContentReader, readManifest } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  formatPlatform,
  isIndex,
  isManifest,
  type Manifest,
  type Platform,
} from '@nsbox/oci'
import { readChildren } from './children.ts'
import { chooseManifests } from './choose-manifests.ts'
import { checkGraph } from './walk.ts'

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
 * @throws `not_found` if an index has nothing for the platform, or a document is absent; as `readChildren`
 */
export async function findManifest(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, arrival = async () => undefined, signal }: FindManifestOptions,
): Promise<(Manifest & { readonly descriptor: Descriptor }) | undefined> {
  let descriptor = target
  for (let depth = 0; isIndex(descriptor.mediaType); depth += 1) {
    checkGraph(target.digest, depth, 0)
    await arrival(descriptor, { signal })
    const listed = await readChildren(content, descriptor, { signal })
    const documents = listed.filter(({ mediaType }) => isManifest(mediaType) || isIndex(mediaType))
    if (documents.length === 0 && listed.length > 0) return undefined
    const [best] = chooseManifests(documents, [platform])
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
