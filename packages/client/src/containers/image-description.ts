import { type AbortOptions, type ContentReader, findManifest, readImageConfig } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { chainIds, type Descriptor, type Digest, type ImageConfig, isConfig, type Platform } from '@nsbox/oci'

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
  const manifest = await findManifest(content, target, { platform, signal })
  if (manifest === undefined || !isConfig(manifest.config.mediaType)) {
    const { digest } = manifest?.descriptor ?? target
    throw new NsboxError('failed_precondition', `manifest ${digest} is that of no image`)
  }
  const parsed = await readImageConfig(content, manifest.config, { signal })
  return { config: parsed, chainId: chainIds(parsed.diffIds).at(-1) }
}
