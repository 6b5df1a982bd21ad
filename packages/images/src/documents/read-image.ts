import { type AbortOptions, type ContentReader, findManifest, readImageConfig } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import type { Descriptor, Digest, ImageConfig, Platform } from '@nsbox/oci'
import { isImage } from './is-image.ts'
import { layerChain } from './layer-chain.ts'

/** Manifest and config of an image for one platform. */
export interface ImageDescription {
  readonly manifest: Descriptor
  readonly config: ImageConfig
  /** Name of the snapshot that unpacking makes; it need not exist. Undefined for an image without layers. */
  readonly chainId: Digest | undefined
}

/**
 * Reads manifest and config of an image for a platform.
 *
 * @throws `failed_precondition` for another artifact; otherwise as `unpackImage`, for the documents
 */
export async function readImage(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, signal }: { readonly platform: Platform } & AbortOptions,
): Promise<ImageDescription> {
  const manifest = await findManifest(content, target, { platform, signal })
  if (manifest === undefined || !isImage(manifest)) {
    const { digest } = manifest?.descriptor ?? target
    throw new NsboxError('failed_precondition', `manifest ${digest} is that of no image`)
  }
  const { descriptor, config } = manifest
  const parsed = await readImageConfig(content, config, { signal })
  return { manifest: descriptor, config: parsed, chainId: layerChain(manifest, parsed).at(-1)?.chainId }
}
