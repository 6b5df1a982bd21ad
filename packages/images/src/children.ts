import { type AbortOptions, type ContentReader, readBlob } from '@nsbox/core/content'
import { type Descriptor, isIndex, isManifest, maxDocumentSize, parseIndex, parseManifest } from '@nsbox/oci'

/**
 * What a descriptor's document refers to: the manifests of an index, the config and layers of a manifest, nothing for
 * everything else. The document is read from the store and proved against its digest.
 *
 * @throws `not_found` if the document is absent, `invalid_argument` if it makes no sense, `data_loss` if it is corrupt
 */
export async function children(
  content: Pick<ContentReader, 'read'>,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<readonly Descriptor[]> {
  const { mediaType } = descriptor
  if (!isIndex(mediaType) && !isManifest(mediaType)) return []
  const bytes = await readBlob(content, descriptor, { limit: maxDocumentSize, ...options })
  if (isIndex(mediaType)) return parseIndex(bytes, descriptor).manifests
  const manifest = parseManifest(bytes, descriptor)
  return [manifest.config, ...manifest.layers]
}
