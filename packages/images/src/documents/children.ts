import type { ByteBudget } from '@nsbox/core/byte-budget'
import { type AbortOptions, type ContentReader, readIndex, readManifest } from '@nsbox/core/content'
import { type Descriptor, isIndex, isManifest } from '@nsbox/oci'

/**
 * The content that a descriptor's document refers to: the manifests of an index, the config and layers of a manifest,
 * nothing for anything else. The document is read from the store and verified.
 *
 * @param options.documents budget for the documents of a whole image, which bounds the objects that wait to be visited
 * @throws `not_found` if the document is absent, `invalid_argument` if it is invalid, `data_loss` if it is corrupt
 */
export async function readChildren(
  content: Pick<ContentReader, 'read'>,
  descriptor: Descriptor,
  { documents, ...options }: { readonly documents?: ByteBudget | undefined } & AbortOptions = {},
): Promise<readonly Descriptor[]> {
  const { mediaType } = descriptor
  if (!isIndex(mediaType) && !isManifest(mediaType)) return []
  documents?.take(descriptor.size)
  if (isIndex(mediaType)) return (await readIndex(content, descriptor, options)).manifests
  const manifest = await readManifest(content, descriptor, options)
  return [manifest.config, ...manifest.layers]
}
