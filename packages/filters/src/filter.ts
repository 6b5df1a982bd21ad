import { NsboxError } from '@nsbox/errors'
import type { Adaptor } from './adaptor.ts'
import { parseSelectors, type Selector } from './parse-selectors.ts'
import { compilePattern, maxPatterns, maxProgramSize, maxWork, type Pattern } from './pattern.ts'

/**
 * A condition on objects of any kind. Where an object lacks a field, presence and `==` fail, while `!=` and `~=` take
 * it for empty.
 */
export interface Filter {
  /** Takes about 25 ms at most; most filters take a few microseconds. */
  match(object: Adaptor): boolean
}

/** How to parse filters. */
export interface ParseFilterOptions {
  /**
   * Called with each invalid regular expression. The client gets no error: such an expression matches nothing
   * (docs/behaviour.md §2).
   */
  readonly onBadPattern?: ((pattern: string, reason: Error) => void) | undefined
  /**
   * Called when an object's texts are too long to be searched: their characters times the instructions of the regular
   * expressions are more than 250,000. Such a text matches nothing, unless this throws.
   */
  readonly onTooMuch?: (() => void) | undefined
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
  let patterns = 0
  /** Work spent on the current object, in instructions times characters. */
  let work = 0

  function patternTest(source: string): (text: string) => boolean {
    const pattern = compilePattern(source)
    const isBad = pattern instanceof Error
    // Invalid ones count as well: each is logged, and a client must not fill the log.
    programSize += isBad ? source.length + 1 : pattern.programSize
    if (!isBad) patterns += 1
    if (programSize > maxProgramSize || patterns > maxPatterns)
      throw new NsboxError('invalid_argument', 'filters: regular expressions too large or too many')
    if (!isBad) return (text) => boundedTest(pattern, text)
    options.onBadPattern?.(source, pattern)
    return () => false
  }

  function boundedTest(pattern: Pattern, text: string): boolean {
    work += pattern.programSize * text.length
    if (work <= maxWork) return pattern.test(text)
    options.onTooMuch?.()
    return false
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
    match(object) {
      work = 0
      return (
        alternatives.length === 0 ||
        alternatives.some((conditions) => conditions.every((holds) => holds(object)))
      )
    },
  }
}

/**
 * `parseFilters` for a listing. The listing fails if an object is too large to be searched, instead of leaving it out.
 *
 * @throws as `parseFilters`; `match` throws `resource_exhausted` for an object whose texts are too long for the regular
 * expressions
 */
export function parseListFilters(texts: readonly string[]): Filter {
  return parseFilters(texts, {
    onTooMuch() {
      throw new NsboxError(
        'resource_exhausted',
        'filters: regular expressions too large for the length of what they are looked for in',
      )
    },
  })
}
