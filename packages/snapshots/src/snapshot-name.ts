import { NsboxError } from '@nsbox/errors'

/** The most bytes of a name or key. */
const maxNameBytes = 4096

/**
 * Checks a name or key. It is never part of a path, so any text will do that the database can tell from others.
 *
 * @throws `invalid_argument`
 */
export function checkName(name: string): void {
  if (name === '') throw new NsboxError('invalid_argument', 'snapshot key must not be empty')
  // Without a form in UTF-8, two of them would be stored as the same text.
  if (/\p{Surrogate}/u.test(name))
    throw new NsboxError('invalid_argument', `snapshot key ${JSON.stringify(name.slice(0, 64))} is not text`)
  const bytes = Buffer.byteLength(name)
  if (bytes > maxNameBytes)
    throw new NsboxError(
      'invalid_argument',
      `snapshot key of ${bytes} bytes, at most ${maxNameBytes} are allowed`,
    )
}
