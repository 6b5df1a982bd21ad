import { NsboxError } from '@nsbox/errors'
import { quoted } from '../quoted.ts'

/** The most bytes of a key or name, as `SnapshotMaker` has it. */
const maxKeyBytes = 4096

/**
 * Checks a key or name.
 * @throws `invalid_argument` for one that is empty, too long, or no Unicode text
 */
export function checkKey(key: string): void {
  if (key === '') throw new NsboxError('invalid_argument', 'snapshot key must not be empty')
  const bytes = Buffer.byteLength(key)
  if (bytes > maxKeyBytes) {
    throw new NsboxError(
      'invalid_argument',
      `snapshot key of ${bytes} bytes, at most ${maxKeyBytes} are allowed`,
    )
  }
  // Without a form in UTF-8 two of them would be stored as the same text.
  if (/\p{Surrogate}/u.test(key))
    throw new NsboxError('invalid_argument', `snapshot key ${shownKey(key)} is not Unicode text`)
}

/** A key in an error message: as it is if it is plain and short, as clients know it; else quoted and cut. */
export function shownKey(key: string): string {
  if (/^[\x20-\x7e]{1,256}$/.test(key)) return key
  return quoted(key.length > 256 ? `${key.slice(0, 256)}…` : key)
}
