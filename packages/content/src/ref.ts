import { showRef } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'

/** Bytes: the 4096 of the contract, and room for what a namespaced view puts before a ref. */
const maxRefBytes = 8192

/**
 * Checks the name of an ingest. Text without a UTF-8 form is refused because two such texts could not be told apart
 * once they are in a file.
 *
 * @throws `invalid_argument`
 */
export function checkRef(ref: string): void {
  if (ref === '') throw new NsboxError('invalid_argument', 'ref must not be empty')
  const bytes = Buffer.from(ref)
  if (bytes.length > maxRefBytes) {
    throw new NsboxError(
      'invalid_argument',
      `ref of ${bytes.length} bytes, at most ${maxRefBytes} are allowed`,
    )
  }
  if (bytes.toString() !== ref)
    throw new NsboxError('invalid_argument', `ref ${showRef(ref)} is not Unicode text`)
}
