import { NsboxError } from '@nsbox/errors'
import {
  chainIds,
  type Descriptor,
  type Digest,
  type ImageConfig,
  isLayer,
  layerCompression,
  type Manifest,
} from '@nsbox/oci'

/** A layer of an image, and its snapshot. */
export interface LayerLink {
  readonly layer: Descriptor
  /** Digest of the layer's archive after decompression, from the image's config. */
  readonly diffId: Digest
  /** Name of the snapshot that holds the layers up to this one. */
  readonly chainId: Digest
  /** Chain id of the layers below; undefined for the lowest. */
  readonly parent: Digest | undefined
}

/**
 * The layers of an image, lowest first, with their snapshots (OCI image specification, config.md, "Layer ChainID").
 * Entries of a manifest's layers that are no layers are ignored, as in containerd.
 *
 * @throws `invalid_argument` if the config does not have as many diff ids as there are layers; `unimplemented` for a
 * layer with an unknown wrapping, such as encryption
 */
export function layerChain(
  { config, layers }: Pick<Manifest, 'config' | 'layers'>,
  { diffIds }: Pick<ImageConfig, 'diffIds'>,
): LayerLink[] {
  const fileSystems = layers.filter(({ mediaType }) => isLayer(mediaType))
  if (fileSystems.length !== diffIds.length) {
    const what = `${diffIds.length} diff ids for ${fileSystems.length} layers`
    const others = layers.length - fileSystems.length
    const rest = others === 0 ? '' : `, besides ${others} blobs that are none`
    throw new NsboxError('invalid_argument', `config ${config.digest}: ${what}${rest}`)
  }
  const chain = chainIds(diffIds)
  return fileSystems.map((layer, index) => {
    if (layerCompression(layer.mediaType) === undefined) {
      const mediaType = JSON.stringify(layer.mediaType)
      throw new NsboxError('unimplemented', `unpacking layer ${layer.digest} of media type ${mediaType}`)
    }
    return { layer, diffId: diffIds[index]!, chainId: chain[index]!, parent: chain[index - 1] }
  })
}
