import { NsboxError } from '@nsbox/errors'

/** The most characters that an identifier may have. */
export const maxIdentifierLength = 76

const identifier = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/

/**
 * Checks an identifier: the name of a namespace, container, exec process or sandbox. The texts are those that clients
 * of containerd know (docs/behaviour.md §1).
 *
 * @throws `invalid_argument`
 */
export function validateIdentifier(text: string): void {
  if (text === '') throw new NsboxError('invalid_argument', 'identifier must not be empty')
  if (text.length > maxIdentifierLength) {
    throw new NsboxError(
      'invalid_argument',
      `identifier "${text.slice(0, 2 * maxIdentifierLength)}" greater than maximum length ` +
        `(${maxIdentifierLength} characters)`,
    )
  }
  if (!identifier.test(text)) {
    throw new NsboxError(
      'invalid_argument',
      `identifier ${JSON.stringify(text)} must match ${identifier.source}`,
    )
  }
}
