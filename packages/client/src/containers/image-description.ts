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
  type ImageConfig,
  isConfig,
  isIndex,
  isManifest,
  onlyPlatform,
  type Platform,
  selectManifests,
} from '@nsbox/oci'

/** How deep indexes may refer to indexes; real images need two levels. */
const maxDepth = 16

/** Config of an image for one platform, and the snapshot that it is unpacked to. */
export interface ImageDescription {
  readonly config: ImageConfig
  /** Name of the snapshot, whether that exists or not; undefined for an image without layers. */
  readonly chainId: Digest | undefined
}

/**
 * Reads the config of an image for a platform.
 *
 * @throws `not_found` if an index has nothing for the platform, or content is missing; `failed_precondition` for
 * another artifact; `invalid_argument` for a malformed document; as `readBlob`
 */
export async function describeImage(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, signal }: { readonly platform: Platform } & AbortOptions,
): Promise<ImageDescription> {
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
  if (!isConfig(config.mediaType))
    throw new NsboxError('failed_precondition', `manifest ${descriptor.digest} is that of no image`)
  const parsed = await readImageConfig(content, config, { signal })
  return { config: parsed, chainId: chainIds(parsed.diffIds).at(-1) }
}
