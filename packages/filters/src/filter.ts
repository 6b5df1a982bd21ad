import { NsboxError } from '@nsbox/errors'
import type { Adaptor } from './adaptor.ts'
import { parseSelectors } from './parse-selectors.ts'
import { compilePattern, maxProgramSize } from './pattern.ts'
import type { Selector } from './selector.ts'

/**
 * A condition on objects of any kind. Where an object lacks a field, presence and `==` fail, while `!=` and `~=` take
 * it for empty.
 */
export interface Filter {
  match(object: Adaptor): boolean
}

/** How to parse filters. */
export interface ParseFilterOptions {
  /**
   * Told of each regular expression that is none. Such a one matches nothing and is no error to the client
   * (BEHAVIOUR.md §2), so this is the only trace of it.
   */
  readonly onBadPattern?: ((pattern: string, reason: Error) => void) | undefined
}

/** Most characters of one filter, and of all filters of a list together. */
export const maxFilterLength = 65_536

/** Most filters in a list. */
export const maxFilters = 1024

type Condition = (object: Adaptor) => boolean

/**
 * Parses one filter: conditions joined by commas, all of which must hold. The empty text holds for everything.
 *
 * @throws `invalid_argument` for text that does not parse, is longer than `maxFilterLength`, or has regular expressions
 * that are too large
 */
export function parseFilter(text: string, options: ParseFilterOptions = {}): Filter {
  return parseFilters([text], options)
}

/**
 * Parses a list of filters, any of which must hold. The empty list holds for everything.
 *
 * @throws `invalid_argument` as `parseFilter`, the limits being for all filters together, and for more than
 * `maxFilters`
 */
export function parseFilters(texts: readonly string[], options: ParseFilterOptions = {}): Filter {
  if (texts.length > maxFilters)
    throw new NsboxError('invalid_argument', `filters: more than ${maxFilters} filters`)
  if (texts.reduce((sum, text) => sum + text.length, 0) > maxFilterLength)
    throw new NsboxError('invalid_argument', `filters: longer than ${maxFilterLength} characters`)
  let programSize = 0

  function patternTest(source: string): (text: string) => boolean {
    const pattern = compilePattern(source)
    const isBad = pattern instanceof Error
    // Bad ones count as well, so that a client cannot have any number of them logged.
    programSize += isBad ? source.length + 1 : pattern.programSize
    if (programSize > maxProgramSize)
      throw new NsboxError('invalid_argument', 'filters: regular expressions too large')
    if (!isBad) return pattern.test
    options.onBadPattern?.(source, pattern)
    return () => false
  }

  function condition(selector: Selector): Condition {
    const { path } = selector
    if (selector.operator === 'present') return (object) => object.field(path) !== undefined
    const { value } = selector
    switch (selector.operator) {
      case '==':
        return (object) => object.field(path) === value
      case '!=':
        return (object) => (object.field(path) ?? '') !== value
      case '~=': {
        const test = patternTest(value)
        return (object) => test(object.field(path) ?? '')
      }
    }
  }

  const alternatives = texts.map((text) => (text === '' ? [] : parseSelectors(text)).map(condition))
  return {
    match: (object) =>
      alternatives.length === 0 ||
      alternatives.some((conditions) => conditions.every((holds) => holds(object))),
  }
}
