import { type AbortOptions, type ContentReader, findManifest } from '@nsbox/core/content'
import type { Descriptor, Digest, Platform } from '@nsbox/oci'
import { isImage } from './is-image.ts'
import { readChain } from './read-chain.ts'

/**
 * The chain id of an image for a platform: the name of the snapshot that unpacking makes; it need not exist. Undefined
 * for an image without layers, and for another artifact.
 *
 * @throws as `unpackImage`, for the documents
 */
export async function imageChainId(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { platform, signal }: { readonly platform: Platform } & AbortOptions,
): Promise<Digest | undefined> {
  const manifest = await findManifest(content, target, { platform, signal })
  if (manifest === undefined || !isImage(manifest)) return undefined
  return (await readChain(content, manifest, { signal })).at(-1)?.chainId
}
