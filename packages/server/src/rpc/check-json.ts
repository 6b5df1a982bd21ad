import { NsboxError } from '@nsbox/errors'

/** The most bytes of a request in JSON, which is meant for people and small programs. */
export const maxJsonBytes = 1 << 20

/** The most values of a request. */
const maxValues = 65_536

/** The most levels of a request. */
const maxDepth = 100

const [quote, backslash, comma] = Buffer.from('"\\,')
const [openBracket, openBrace, closeBracket, closeBrace] = Buffer.from('[{]}')

/**
 * Counts the values of a JSON request before it is parsed, since many small values take much time and memory. Syntax is
 * checked by the parser.
 *
 * @returns how many values there are
 * @throws `resource_exhausted` for too many values, or levels
 */
export function checkJson(bytes: Uint8Array): number {
  let values = 1
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = endOfText(bytes, at)
    else if (byte === comma) values++
    else if (byte === openBracket || byte === openBrace) {
      values++
      depth++
    } else if (byte === closeBracket || byte === closeBrace) depth--
    if (values > maxValues) throw exhausted(`more than ${maxValues} values`)
    if (depth > maxDepth) throw exhausted(`more than ${maxDepth} levels`)
  }
  return values
}

/** The index of the closing quotation mark. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++
    else if (bytes[at] === quote) return at
  }
  return bytes.length
}

function exhausted(what: string): NsboxError {
  return new NsboxError('resource_exhausted', `a request in JSON has ${what}`)
}
