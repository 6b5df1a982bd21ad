import { NsboxError, quoted } from '@nsbox/errors'
import { type LayerCompression, mediaTypes } from '@nsbox/oci'

const compressions = new Map<string, LayerCompression>([
  [mediaTypes.ociLayer, 'none'],
  [mediaTypes.ociLayerGzip, 'gzip'],
  [mediaTypes.ociLayerZstd, 'zstd'],
  [mediaTypes.dockerLayer, 'none'],
  [mediaTypes.dockerLayerGzip, 'gzip'],
  [mediaTypes.dockerLayerZstd, 'zstd'],
])

/**
 * How to compress a layer with this media type.
 * @throws `unimplemented` for one that no layer can be made with
 */
export function compressionToMake(mediaType: string): LayerCompression {
  const compression = compressions.get(mediaType)
  if (compression !== undefined) return compression
  throw new NsboxError('unimplemented', `making a layer of type ${quoted(mediaType)}`)
}
