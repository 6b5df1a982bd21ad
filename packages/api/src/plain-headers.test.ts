import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlainHeaders } from './plain-headers.ts'

const name = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'content-type',
    'Content-Type',
    'set-cookie',
    'Set-Cookie',
    'x-bin',
    '',
    'a b',
    'é',
    'a:',
  ),
  fc.string({ maxLength: 3 }),
)
const value = fc.oneof(
  fc.constantFrom('', 'x', ' x\t', 'a, b', 'é', 'a\nb', '\r\nx\n', 'a\0', '\u0100'),
  fc.string({ maxLength: 4, unit: 'binary' }),
)
const change = fc.oneof(
  fc.tuple(fc.constantFrom('append', 'set'), name, value),
  fc.tuple(fc.constantFrom('delete', 'get', 'has'), name, fc.constant('')),
)

/** What a call returns, or that it throws. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error instanceof TypeError ? 'TypeError' : error
  }
}

function all(headers: Headers): unknown {
  const seen: unknown[] = []
  headers.forEach((text, key) => {
    seen.push([key, text])
  })
  return [seen, [...headers], [...headers.keys()], [...headers.values()], headers.getSetCookie()]
}

test('are to their users what those of Node are', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const own = new PlainHeaders()
      const node = new Headers()
      for (const [call, key, text] of changes) {
        const made = (headers: Headers) =>
          outcome(() =>
            headers[call as 'set'](
              key,
              ...((text === '' && call !== 'append' && call !== 'set' ? [] : [text]) as [string]),
            ),
          )
        expect([call, key, text, made(own)]).toEqual([call, key, text, made(node)])
      }
      expect(all(own)).toEqual(all(node))
    }),
    { numRuns: 500 },
  )
})

test('begin with what those of Node begin with', () => {
  const fields: [string, string][] = [
    ['B', '2'],
    ['a', '1'],
    ['b', '3'],
    ['set-cookie', 'x'],
    ['Set-Cookie', 'y'],
  ]
  const inits = [
    undefined,
    {},
    { b: '1', A: '2' },
    fields,
    new Headers(fields),
    new PlainHeaders(fields),
    [['a']],
    [['a', 'b', 'c']],
    null,
    5,
    { 'a b': '1' },
  ]
  for (const init of inits) {
    const made = (kind: typeof PlainHeaders | typeof Headers) =>
      outcome(() => all(new (kind as typeof Headers)(init as ConstructorParameters<typeof Headers>[0])))
    expect(made(PlainHeaders)).toEqual(made(Headers))
  }
})
