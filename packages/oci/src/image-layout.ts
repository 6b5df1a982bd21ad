import * as v from 'valibot'
import { documentSteps } from './document.ts'
import { fields } from './field-schema.ts'
import { finish } from './steps.ts'

/** The version of image layouts that nsbox reads and writes (OCI image specification, image-layout.md). */
export const imageLayoutVersion = '1.0.0'

const schema = fields({
  imageLayoutVersion: v.literal(imageLayoutVersion, `not ${imageLayoutVersion}`),
})

/**
 * Checks the `oci-layout` document that marks an image layout.
 *
 * @throws `invalid_argument` for another version or a malformed document
 */
export function checkImageLayout(bytes: Uint8Array): void {
  finish(documentSteps(bytes, schema, 'oci-layout'))
}
