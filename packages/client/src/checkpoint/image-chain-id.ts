import { type AbortOptions, type ContentReader, readBlob } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  chainIds,
  type Descriptor,
  type Digest,
  formatPlatform,
  isIndex,
  isManifest,
  maxDocumentSize,
  onlyPlatform,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectManifests,
} from '@nsbox/oci'

/** How deep indexes may refer to indexes; real images need two levels. */
const maxDepth = 16

/**
 * Name of the snapshot that an image is unpacked to for a platform, whether that exists or not; undefined for one without
 * layers.
 *
 * @throws `not_found` if an index has nothing for the platform, or content is missing; `invalid_argument` for what makes
 * no sense; as `readBlob`
 */
export async function imageChainId(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, signal }: { readonly platform: Platform } & AbortOptions,
): Promise<Digest | undefined> {
  const read = (descriptor: Descriptor) => readBlob(content, descriptor, { limit: maxDocumentSize, signal })
  let descriptor = target
  for (let depth = 0; isIndex(descriptor.mediaType); depth += 1) {
    if (depth > maxDepth)
      throw new NsboxError('invalid_argument', `image ${target.digest}: nested deeper than ${maxDepth}`)
    const { manifests } = parseIndex(await read(descriptor), descriptor)
    const documents = manifests.filter(({ mediaType }) => isManifest(mediaType) || isIndex(mediaType))
    const [best] = selectManifests({ manifests: documents }, onlyPlatform(platform))
    if (best === undefined) {
      const wanted = formatPlatform(platform)
      throw new NsboxError('not_found', `index ${descriptor.digest}: no manifest for ${wanted}`)
    }
    descriptor = best
  }
  const { config } = parseManifest(await read(descriptor), descriptor)
  return chainIds(parseImageConfig(await read(config), config).diffIds).at(-1)
}
