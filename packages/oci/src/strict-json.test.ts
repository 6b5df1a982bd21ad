import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrictJson, strictJsonSteps } from './strict-json.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })
const parse = (text: string) => parseStrictJson(Buffer.from(text), 'document')

test('reads what JSON.stringify writes', () => {
  const wellFormed = fc
    .jsonValue({ maxDepth: 8, noUnicodeString: false })
    .filter((value) => isWellFormed(value))
  fc.assert(
    fc.property(wellFormed, fc.constantFrom(undefined, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      expect(JSON.stringify(parse(text))).toBe(JSON.stringify(value))
    }),
  )
})

test('accepts nothing that JSON.parse refuses, and then gives the same', () => {
  const token = fc.constantFrom(
    ...'{}[]:,"\\u0e1.-+',
    'true',
    'null',
    '"a"',
    '"b":',
    ' ',
    '\n',
    '0',
    '-1',
    '1e5',
    'x',
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
      const text = tokens.join('')
      let value: unknown
      try {
        value = parse(text)
      } catch (error) {
        expect(error).toEqual(invalidArgument)
        return
      }
      expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)))
    }),
    { numRuns: 5000 },
  )
})

test.each([
  '',
  ' ',
  '{',
  '[1,]',
  '{"a":1,}',
  '{a:1}',
  "{'a':1}",
  '[1 2]',
  '01',
  '1.',
  '+1',
  '.5',
  '"\t"',
  '"\\x"',
  '"a',
  'nul',
  'true false',
  '[]]',
  'NaN',
  '//x\n1',
])('refuses malformed JSON: %j', (text) => {
  expect(() => parse(text)).toThrow(invalidArgument)
})

describe('B05', () => {
  test.each([
    ['one key twice', '{"a":1,"a":1}'],
    ['one key twice, spelled differently', '{"a":1,"\\u0061":1}'],
    ['one key twice, deep inside', '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a lone low surrogate as a key', '{"\\udc00":1}'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"'],
    ['a byte order mark', '\ufeff{}'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(invalidArgument)
  })

  test.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong encoding', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0, 0x7d, 0]],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseStrictJson(Uint8Array.from(bytes), 'document')).toThrow(invalidArgument)
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for a key like any other',
    (key) => {
      const value = parse(`{"${key}":{"polluted":true}}`) as object
      expect(Object.getPrototypeOf(value)).toBeNull()
      expect(Object.keys(value)).toEqual([key])
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    },
  )

  test('takes surrogate pairs', () => {
    expect(parse('"\\ud83d\\ude00😀"')).toBe('😀😀')
  })
})

describe('B02', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test('takes 32 levels and no more, however many there are', () => {
    expect(() => parse(nested(33))).not.toThrow()
    expect(() => parse(nested(34))).toThrow(invalidArgument)
    expect(() => parse('['.repeat(1_000_000))).toThrow(invalidArgument)
    expect(() => parse('{"a":'.repeat(500_000))).toThrow(invalidArgument)
  })

  test('takes no more than 250 000 values', () => {
    expect(() => parse(`[${'0,'.repeat(249_998)}0]`)).not.toThrow()
    expect(() => parse(`[${'0,'.repeat(249_999)}0]`)).toThrow(invalidArgument)
  })

  test('reads a string of 4 MiB', () => {
    expect(parse(`"${'\\n'.repeat(2 * 1024 * 1024 - 1)}"`)).toHaveLength(2 * 1024 * 1024 - 1)
  })
})

describe('E08', () => {
  /** Does all of it, and counts the steps. */
  function inSteps(text: string): { readonly steps: number; readonly value: unknown } {
    const work = strictJsonSteps(Buffer.from(text), 'document')
    for (let steps = 1; ; steps++) {
      const { done, value } = work.next()
      if (done) return { steps, value }
    }
  }

  test('a document is read in steps of a thousand values, with the same result', () => {
    const text = JSON.stringify(Array.from({ length: 60_000 }, (_, index) => ({ [`k${index}`]: [index] })))
    const { steps, value } = inSteps(text)
    expect(steps).toBeGreaterThanOrEqual(180)
    expect(JSON.stringify(value)).toBe(text)
    expect(inSteps('{}').steps).toBe(1)
  })

  test('a number has a bounded number of digits', () => {
    expect(parse('9'.repeat(1000))).toBe(Number.POSITIVE_INFINITY)
    expect(() => parse('9'.repeat(1001))).toThrow(invalidArgument)
    expect(() =>
      parseStrictJson(Buffer.from('9'.repeat(4_000_000)), 'document', { bigIntegers: true }),
    ).toThrow(invalidArgument)
  })
})

const isWellFormed = (value: unknown): boolean =>
  !/\\u[dD][89a-fA-F]|\p{Surrogate}/u.test(JSON.stringify(value))
