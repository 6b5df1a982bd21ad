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

/** A layer of an image, and the snapshot that it makes. */
export interface LayerLink {
  readonly layer: Descriptor
  /** Digest of the layer's archive after decompression, as the image's config says it. */
  readonly diffId: Digest
  /** Name of the snapshot that holds the layers up to this one. */
  readonly chainId: Digest
  /** Chain id of the layers below; undefined for the lowest. */
  readonly parent: Digest | undefined
}

/**
 * The layers of an image, lowest first, with the snapshots that they make (OCI image specification, config.md, "Layer
 * ChainID"). What a manifest lists among its layers without being one is passed over, as containerd does.
 *
 * @throws `invalid_argument` if the config does not name as many diff ids as there are layers; `unimplemented` for
 * a layer that is wrapped in something unknown, such as encryption
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
