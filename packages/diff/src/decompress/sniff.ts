import { NsboxError, quoted } from '@nsbox/errors'
import { type LayerCompression, layerCompression } from '@nsbox/oci'

/** How many bytes `sniffCompression` needs. */
export const sniffLength = 4

/** The compression of bytes, by their beginning. A zstd stream may begin with a skippable frame. */
export function sniffCompression(start: Uint8Array): LayerCompression {
  if (start[0] === 0x1f && start[1] === 0x8b && start[2] === 0x08) return 'gzip'
  if (start.length < 4) return 'none'
  const magic = new DataView(start.buffer, start.byteOffset).getUint32(0, true)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none'
}

/**
 * The compression of a layer, by its first bytes, whatever its media type is. containerd accepts layers with a wrong
 * type; the diff id proves that the archive is right. The type only decides whether it is a layer at all.
 *
 * @throws `unimplemented` for a type that is no layer's, or of a layer that is encrypted or has an unknown compression
 */
export function compressionOf(mediaType: string, start: Uint8Array): LayerCompression {
  if (layerCompression(mediaType) !== undefined) return sniffCompression(start)
  const kind = mediaType.includes('+encrypted') ? 'an encrypted layer' : 'a layer'
  throw new NsboxError('unimplemented', `applying ${kind} of type ${quoted(mediaType)}`)
}
