import {
  type AbortOptions,
  type ContentReader,
  readImageConfig,
  readIndex,
  readManifest,
} from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  chainIds,
  type Descriptor,
  type Digest,
  formatPlatform,
  isIndex,
  isManifest,
  onlyPlatform,
  type Platform,
  selectManifests,
} from '@nsbox/oci'

/** How deep indexes may refer to indexes; real images need two levels. */
const maxDepth = 16

/**
 * The name of the snapshot that an image is unpacked to for a platform, whether that exists or not. Undefined for an
 * image without layers.
 *
 * @throws `not_found` if an index has nothing for the platform, or content is missing; `invalid_argument` for a
 * malformed document; as `readBlob`
 */
export async function imageChainId(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, signal }: { readonly platform: Platform } & AbortOptions,
): Promise<Digest | undefined> {
  let descriptor = target
  for (let depth = 0; isIndex(descriptor.mediaType); depth += 1) {
    if (depth > maxDepth)
      throw new NsboxError('invalid_argument', `image ${target.digest}: nested deeper than ${maxDepth}`)
    const { manifests } = await readIndex(content, descriptor, { signal })
    const documents = manifests.filter(({ mediaType }) => isManifest(mediaType) || isIndex(mediaType))
    const [best] = selectManifests({ manifests: documents }, onlyPlatform(platform))
    if (best === undefined) {
      const wanted = formatPlatform(platform)
      throw new NsboxError('not_found', `index ${descriptor.digest}: no manifest for ${wanted}`)
    }
    descriptor = best
  }
  const { config } = await readManifest(content, descriptor, { signal })
  return chainIds((await readImageConfig(content, config, { signal })).diffIds).at(-1)
}
