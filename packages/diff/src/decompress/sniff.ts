import { NsboxError } from '@nsbox/errors'
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
 * How a layer is compressed, from its media type and its first bytes. A type that says nothing (Docker's plain one), or
 * says that it is not compressed, leaves it to the bytes, since compressed layers are in circulation under both; a type
 * that names a compression must be right.
 *
 * @throws `invalid_argument` for a type that is no layer's, or that the bytes belie
 */
export function compressionOf(mediaType: string, start: Uint8Array): LayerCompression {
  const said = layerCompression(mediaType)
  if (said === undefined)
    throw new NsboxError(
      'invalid_argument',
      `${JSON.stringify(mediaType.slice(0, 255))} is no layer that can be applied`,
    )
  const seen = sniffCompression(start)
  if (said === 'unknown' || said === 'none' || said === seen) return seen
  throw new NsboxError(
    'invalid_argument',
    `layer of type ${mediaType} begins as if its compression were ${seen}`,
  )
}
