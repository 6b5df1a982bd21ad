import { NsboxError } from '@nsbox/errors'

/** The most bytes of a name that clients choose: as many as a key of a snapshot may have. */
const maxNameBytes = 4096

/**
 * Checks the length of a name that is kept in the database and told in listings.
 * @throws `invalid_argument`
 */
export function checkNameLength(name: string, what: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes <= maxNameBytes) return
  throw new NsboxError('invalid_argument', `${what} of ${bytes} bytes, at most ${maxNameBytes} are allowed`)
}
