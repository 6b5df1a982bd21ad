import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import { plainBytes } from '@nsbox/diff/archive'
import type { Descriptor, Digest } from '@nsbox/oci'
import type { ArchiveBlobs } from '../archive/archive-blobs.ts'
import { blobCompression } from '../documents/blob-compression.ts'
import { layerType, statedCompression } from './converted-type.ts'

/** How to convert a layer. */
export interface ConvertLayerOptions extends AbortOptions {
  readonly content: ContentStore
  readonly blobs: ArchiveBlobs
  readonly oci: boolean
  readonly uncompress: boolean
}

/**
 * A layer in another form; the same descriptor if it has that already, or is no layer.
 *
 * @param diffId what it must be once it is decompressed; anything if it is undefined
 * @throws as `convertImage`
 */
export async function convertLayer(
  layer: Descriptor,
  diffId: Digest | undefined,
  options: ConvertLayerOptions,
): Promise<Descriptor> {
  const { content, blobs, uncompress, signal } = options
  const stated = statedCompression(layer.mediaType)
  if (stated === undefined) return layer
  const compression = stated === 'unknown' ? await blobCompression(content, layer.digest, { signal }) : stated
  const mediaType = layerType(layer.mediaType, uncompress ? 'none' : compression, options)
  if (!uncompress || compression === 'none')
    return mediaType === layer.mediaType ? layer : { ...layer, mediaType }
  const plain = plainBytes(content.read(layer.digest, { signal }), { signal })
  const digest = await blobs.write(plain, { name: `layer ${layer.digest}`, expected: diffId })
  const { size } = await content.info(digest, { signal })
  const { data: _data, urls: _urls, ...rest } = layer
  return { ...rest, mediaType, digest, size }
}
