import { NsboxError, quoted } from '@nsbox/errors'
import { isLayer, isNonDistributable, type LayerCompression, layerCompression, mediaTypes } from '@nsbox/oci'

const t = mediaTypes

/** What Docker's types of documents are called in the image specification (media-types.md, "Compatibility Matrix"). */
const ociDocuments = new Map<string, string>([
  [t.dockerManifestList, t.ociIndex],
  [t.dockerManifest, t.ociManifest],
  [t.dockerConfig, t.ociConfig],
])

/** Media types of layers: by whose they are, whether they may be distributed, and how they are compressed. */
const layerTypes: Readonly<
  Record<'docker' | 'oci', Record<'free' | 'foreign', Record<LayerCompression, string>>>
> = {
  docker: {
    free: { none: t.dockerLayer, gzip: t.dockerLayerGzip, zstd: t.dockerLayerZstd },
    // Docker has no type for a foreign layer with zstd, and nobody makes one.
    foreign: { none: t.dockerForeignLayer, gzip: t.dockerForeignLayerGzip, zstd: t.dockerForeignLayerGzip },
  },
  oci: {
    free: { none: t.ociLayer, gzip: t.ociLayerGzip, zstd: t.ociLayerZstd },
    foreign: { none: t.ociForeignLayer, gzip: t.ociForeignLayerGzip, zstd: t.ociForeignLayerZstd },
  },
}

/** The type of a document or config, of the image specification if that is wished. */
export function documentType(mediaType: string, { oci }: { readonly oci: boolean }): string {
  return (oci && ociDocuments.get(mediaType)) || mediaType
}

/** The type of a layer that is compressed so, of the image specification if that is wished. */
export function layerType(
  mediaType: string,
  compression: LayerCompression,
  { oci }: { readonly oci: boolean },
): string {
  const isDocker = mediaType.startsWith('application/vnd.docker.')
  const family = layerTypes[isDocker && !oci ? 'docker' : 'oci']
  return family[isNonDistributable(mediaType) ? 'foreign' : 'free'][compression]
}

/**
 * How a layer is compressed, as far as its type tells; undefined for what is no layer.
 * @throws `unimplemented` for a layer that is wrapped in something unknown, such as encryption
 */
export function statedCompression(mediaType: string): LayerCompression | 'unknown' | undefined {
  if (!isLayer(mediaType)) return undefined
  const compression = layerCompression(mediaType)
  if (compression === undefined)
    throw new NsboxError('unimplemented', `converting a layer of media type ${quoted(mediaType)}`)
  return compression
}
