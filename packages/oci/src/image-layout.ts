import { NsboxError } from '@nsbox/errors'
import { maxDocumentSize } from './document.ts'
import { jsonFields } from './json-fields.ts'
import { quoted } from './quoted.ts'
import { parseStrictJson } from './strict-json.ts'

/** The version of image layouts that nsbox reads and writes (OCI image specification, image-layout.md). */
export const imageLayoutVersion = '1.0.0'

/**
 * Checks the `oci-layout` document that marks an image layout.
 *
 * @throws `invalid_argument` for another version or a malformed document
 */
export function checkImageLayout(bytes: Uint8Array): void {
  const context = 'oci-layout'
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('invalid_argument', `${context}: more than ${maxDocumentSize} bytes`)
  const fields = jsonFields(parseStrictJson(bytes, context), context, ['imageLayoutVersion'])
  const version = fields.string('imageLayoutVersion')
  if (version !== imageLayoutVersion) throw fields.refuse(`image layout version ${quoted(version ?? '')}`)
}
