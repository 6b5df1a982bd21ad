import { NsboxError, shownName } from '@nsbox/errors'

/** The most bytes of a name that clients choose: the ref of an ingest, the key or name of a snapshot. */
export const maxNameBytes = 4096

/**
 * Checks a text that names an ingest or a snapshot. Texts that UTF-8 cannot express are refused: several of them would
 * become the same name once they are stored or sent.
 *
 * @param what is named, for the error: `ref`, `snapshot key`
 * @throws `invalid_argument`
 */
export function checkName(what: string, name: string, maxBytes = maxNameBytes): void {
  if (name === '') throw new NsboxError('invalid_argument', `${what} must not be empty`)
  checkNameLength(what, name, maxBytes)
  if (/\p{Surrogate}/u.test(name))
    throw new NsboxError('invalid_argument', `${what} ${shownName(name)} is not Unicode text`)
}

/** Checks the length of a name alone. @throws `invalid_argument` */
export function checkNameLength(what: string, name: string, maxBytes = maxNameBytes): void {
  const bytes = Buffer.byteLength(name)
  if (bytes > maxBytes)
    throw new NsboxError('invalid_argument', `${what} of ${bytes} bytes, at most ${maxBytes} are allowed`)
}
