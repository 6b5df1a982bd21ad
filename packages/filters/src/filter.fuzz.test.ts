import { attempt, fuzz, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { labelField } from './adaptor.ts'
import { parseFilter, parseFilters } from './filter.ts'
import { parseSelectors, type Selector } from './parse-selectors.ts'

const filters = [
  'name==foo',
  'labels."containerd.io/gc.root"',
  'name~=/^a(b|c)+[^d]\\.e$/,labels.x!=y',
  'target.digest~=|sha256:[0-9a-f]{4}|',
  'kind=="\\x41\\u00e9\\U0001f600\\101\\n"',
]
const dictionary = [
  ...'"/|\\.,=!~ \n\0',
  '==',
  '!=',
  '~=',
  '\\x',
  '\\u',
  '\\U0010ffff',
  '"\\""',
  '(?i)',
  'é',
  '\ud83d\ude00',
]

const escaped = (char: string) => `\\U${char.codePointAt(0)!.toString(16).padStart(8, '0')}`

const quoted = (text: string) =>
  `"${[...text].map((char) => (/[A-Za-z0-9]/.test(char) ? char : escaped(char))).join('')}"`

const printed = (selector: Selector) => {
  const path = selector.path.map(quoted).join('.')
  return selector.operator === 'present' ? path : `${path}${selector.operator}${quoted(selector.value)}`
}

fuzz('D06 a filter that is written anew says the same', mutatedText(filters, { dictionary }), (text) => {
  const { outcome, value } = attempt(() => parseSelectors(text))
  if (value === undefined) return outcome
  expect(value.length).toBeGreaterThan(0)
  expect(parseSelectors(value.map(printed).join(','))).toEqual(value)
  return outcome
})

fuzz(
  'D06 a filter is a condition on any object, or refused',
  fc.array(mutatedText(filters, { dictionary }), { maxLength: 4 }),
  (texts) => {
    const bad: string[] = []
    const { outcome, value } = attempt(() =>
      parseFilters(texts, { onBadPattern: (pattern) => bad.push(pattern) }),
    )
    if (value === undefined) return outcome
    const labels = { 'containerd.io/gc.root': '', x: 'y' }
    const field = ([first, ...rest]: readonly string[]) =>
      first === 'labels' ? labelField(labels, rest) : first === 'name' ? 'foo' : undefined
    expect(typeof value.match({ field })).toBe('boolean')
    // Any of the list holds exactly if one of them does by itself.
    if (texts.length > 0)
      expect(value.match({ field })).toBe(texts.some((text) => parseFilter(text).match({ field })))
    return outcome
  },
)

/** Patterns that RE2 and JavaScript understand alike. */
const piece: fc.Arbitrary<string> = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      'a',
      'b',
      'é',
      '.',
      '[ab]',
      '[^a]',
      '\\.',
      '[0-9]',
      '\\d',
      '\\w',
      '^',
      '$',
      '\\b',
      '\\x61',
    ),
    fc.tuple(tie('pattern'), tie('pattern')).map((both) => both.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map((both) => `(?:${both.join('|')})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{0,3}', '*?'))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
})).pattern

fuzz(
  'D06 a pattern matches what the same one in JavaScript matches',
  fc.tuple(piece, fc.string({ unit: fc.constantFrom('a', 'b', 'é', '1', '.', ' '), maxLength: 12 })),
  ([pattern, text]) => {
    const filter = parseFilter(`name~=${quoted(pattern)}`, {
      onBadPattern: (_, reason) => {
        throw reason
      },
    })
    expect(filter.match({ field: () => text })).toBe(new RegExp(pattern, 'u').test(text))
    return 'accepted'
  },
)
