import { NsboxError } from '@nsbox/errors'
import { RE2JS } from 're2js'

/** Most characters of one regular expression. */
const maxPatternLength = 2048

/** Most instructions that the regular expressions of one list of filters compile to, all together. */
export const maxProgramSize = 2000

/** Most regular expressions of one list of filters: the cache of each may grow to 8 MiB. */
export const maxPatterns = 32

/** Most instructions times characters for one object: about 25 ms at worst. */
export const maxWork = 250_000

/** A regular expression with the syntax and semantics of RE2. */
export interface Pattern {
  /** Whether it matches anywhere in `text`. */
  test(text: string): boolean
  /** Matching one character takes at most time in proportion to this. */
  readonly programSize: number
}

/**
 * Compiles a regular expression of a client. Matching takes time in proportion to the text and to the program
 * (docs/threat-model.md D06). At worst that is 0.3 s for 4 KiB and 900 instructions, so callers must keep to `maxWork`.
 *
 * @returns the reason if it is not a valid regular expression
 * @throws `invalid_argument` if it is too long
 */
export function compilePattern(source: string): Pattern | Error {
  if (source.length > maxPatternLength) {
    throw new NsboxError(
      'invalid_argument',
      `filters: regular expression longer than ${maxPatternLength} characters`,
    )
  }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  return { programSize: compiled.programSize(), test: (text) => compiled.test(text) }
}
