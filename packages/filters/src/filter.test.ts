import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Adaptor } from './adaptor.ts'
import { maxFilterLength, maxFilters, parseFilter, parseFilters, parseListFilters } from './filter.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })
const named = (name: string): Adaptor => ({ field: ([first]) => (first === 'name' ? name : undefined) })

describe('a list of filters', () => {
  test('matches everything if it is empty', () => {
    expect(parseFilters([]).match(named('x'))).toBe(true)
  })

  test('matches what any of them matches', () => {
    const filter = parseFilters(['name==a', 'name==b'])
    expect(['a', 'b', 'c'].map((name) => filter.match(named(name)))).toEqual([true, true, false])
  })

  test('matches everything if one of them is empty', () => {
    expect(parseFilters(['name==a', '']).match(named('x'))).toBe(true)
  })

  test('is refused if one of them does not parse', () => {
    expect(() => parseFilters(['name', 'na-me'])).toThrow(invalidArgument)
  })
})

test('any value survives being quoted', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const filter = parseFilter(`name==${quote(value)}`)
      expect(filter.match(named(value))).toBe(true)
      expect(filter.match(named(`${value}!`))).toBe(false)
    }),
  )
})

test('any text either parses or is refused as an invalid argument', () => {
  const alphabet = fc.constantFrom(...'name.labels,=!~"/|\\x0u8 \n*(é😀')
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: alphabet }), fc.string({ unit: 'binary' })), (text) => {
      try {
        expect(parseFilter(text).match(named('x'))).toBeTypeOf('boolean')
      } catch (error) {
        expect(error).toEqual(invalidArgument)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a condition and its negation never agree', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
      const [same, different] = ['==', '!='].map((op) =>
        parseFilter(`name${op}${quote(value)}`).match(named(name)),
      )
      expect(same).toBe(!different)
    }),
  )
})

test('marks a whole character, of however many code units', () => {
  expect(() => parseFilter('a😀b')).toThrow('filters: parse error: [a >|😀|< b]: ')
})

test('tells of a regular expression that is none, once, and lets it match nothing', () => {
  const told: string[] = []
  const filter = parseFilter('name~="("', { onBadPattern: (pattern) => told.push(pattern) })
  expect([named('('), named('')].map((object) => filter.match(object))).toEqual([false, false])
  expect(told).toEqual(['('])
})

describe('D06 regular expressions of clients', () => {
  // Each of these takes a backtracking engine longer than the age of the universe.
  test.each(['(a+a+)+[bc]', '^(a|aa)+$', '^(?:a?){100}a{100}[bc]', '(.*){40}[bc]$', '([a-z]+)*[^a-z]'])(
    'match in time linear in the text: %s',
    (pattern) => {
      const filter = parseFilter(`name~="${pattern}"`)
      expect(filter.match(named('a'.repeat(700)))).toBe(pattern === '^(a|aa)+$')
    },
    5000,
  )

  test('have no look-around and no back-references', () => {
    const bad: string[] = []
    for (const pattern of ['(?=x)', '(?<=x)y', '(?<!x)y', String.raw`(a)\\1`, '(?>a)'])
      parseFilter(`name~="${pattern}"`, { onBadPattern: (source) => bad.push(source) })
    expect(bad).toHaveLength(5)
  })

  test('are refused beyond 2048 characters', () => {
    expect(() => parseFilter(`name~=${'a'.repeat(2049)}`)).toThrow(invalidArgument)
  })

  test('are refused if they compile to too much', () => {
    expect(() => parseFilter('name~=[ab]{1000}[ab]{1000}')).toThrow(invalidArgument)
  })

  test('are refused if together they compile to too much', () => {
    const one = 'name~=[ab]{700}'
    expect(() => parseFilters([one, one])).not.toThrow()
    expect(() => parseFilters([one, one, one])).toThrow(invalidArgument)
  })
})

describe('E08 the work for one object', () => {
  const long = (length: number) => named('a'.repeat(length))

  test('is bounded by the size of the regular expressions times that of the texts', () => {
    const filter = parseListFilters(['name~="(x|a.*){100}b"'])
    expect(filter.match(long(200))).toBe(false)
    expect(() => filter.match(long(4096))).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
    expect(filter.match(long(200))).toBe(false)
  })

  test('is bounded for all regular expressions together', () => {
    const filter = parseListFilters(Array(20).fill('name~="a[ab]{40}[cd]"'))
    expect(filter.match(long(200))).toBe(false)
    expect(() => filter.match(long(1000))).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
  })

  test('is no match beyond that where nobody can be told', () => {
    const filter = parseFilters(['name~="(x|a.*){100}a"'])
    expect(filter.match(long(200))).toBe(true)
    expect(filter.match(long(4096))).toBe(false)
  })

  test('has a bounded number of regular expressions', () => {
    expect(() => parseFilters(Array(32).fill('name~=a'))).not.toThrow()
    expect(() => parseFilters(Array(33).fill('name~=a'))).toThrow(invalidArgument)
  })
})

test('D06 tells of a bounded number of bad regular expressions', () => {
  let told = 0
  const filters = Array(20).fill(Array(200).fill('a~=(').join())
  expect(() => parseFilters(filters, { onBadPattern: () => told++ })).toThrow(invalidArgument)
  expect(told).toBe(1000)
})

describe('D06 the size of filters', () => {
  test('is bounded over the whole list', () => {
    const half = `name==${'a'.repeat(maxFilterLength / 2 - 6)}`
    expect(() => parseFilters([half, half])).not.toThrow()
    expect(() => parseFilters([half, half, 'n'])).toThrow(invalidArgument)
  })

  test('is bounded in number', () => {
    expect(() => parseFilters(Array(maxFilters).fill('name'))).not.toThrow()
    expect(() => parseFilters(Array(maxFilters + 1).fill('name'))).toThrow(invalidArgument)
  })

  test('does not show in the error', () => {
    const parse = () => parseFilter(`name==${'a'.repeat(30_000)} ${'b'.repeat(30_000)}`)
    expect(parse).toThrow(
      /^filters: parse error: \[…a{1,250} >\| \|< b{1,250}…\]: unexpected input: {2}: invalid/,
    )
  })
})

function quote(value: string): string {
  const escaped = (char: string): string =>
    `\\U${(char.codePointAt(0) as number).toString(16).padStart(8, '0')}`
  return `"${value.replace(/["\\\n]/g, escaped)}"`
}
