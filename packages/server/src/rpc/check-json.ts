import { NsboxError } from '@nsbox/errors'

/** The most bytes of a request in JSON, which is for people and small programs. */
export const maxJsonBytes = 1 << 20

/** The most values of one. */
const maxValues = 65_536

/** The most levels. */
const maxDepth = 100

const [quote, backslash, comma] = Buffer.from('"\\,')
const [openBracket, openBrace, closeBracket, closeBrace] = Buffer.from('[{]}')

/**
 * Counts what a request in JSON has before it is parsed, as values take more time and memory than bytes. Whether it is
 * well formed is the parser's to say.
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

/** Where the text that begins at a quotation mark has its last one. */
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
