import { NsboxError, quoted } from '@nsbox/errors'
import { type LayerCompression, layerCompression } from '@nsbox/oci'

/** How many bytes `sniffCompression` wants to see. */
export const sniffLength = 4

/** How bytes that begin like this are compressed. A zstd stream may begin with a skippable frame. */
export function sniffCompression(start: Uint8Array): LayerCompression {
  if (start[0] === 0x1f && start[1] === 0x8b && start[2] === 0x08) return 'gzip'
  if (start.length < 4) return 'none'
  const magic = new DataView(start.buffer, start.byteOffset).getUint32(0, true)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none'
}

/**
 * How a layer is compressed: as its first bytes tell, whatever compression its media type names. Layers that are not what
 * their type says are in circulation, containerd takes them, and which archive it must be the diff id proves. The type
 * decides alone whether this is an archive at all.
 *
 * @throws `unimplemented` for the type of an encrypted layer, of another compression, or of what is no layer
 */
export function compressionOf(mediaType: string, start: Uint8Array): LayerCompression {
  if (layerCompression(mediaType) !== undefined) return sniffCompression(start)
  const kind = mediaType.includes('+encrypted') ? 'an encrypted layer' : 'a layer'
  const type = quoted(mediaType)
  throw new NsboxError('unimplemented', `applying ${kind} of type ${type}`)
}
