import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { Headers as PlainHeaders } from './plain-headers.ts'

type Change = (headers: Headers) => unknown

const names = ['a', 'A', 'b', 'content-type', 'Content-Type', 'set-cookie', 'Set-Cookie']
const values = ['', 'x', ' x\t', '\r\nx\n', 'a, b', 'é']

/** Every change, and every question, that is well-formed, as a text and a function. */
const changes: [string, Change][] = names.flatMap((name) => [
  ...(['append', 'set'] as const).flatMap((call) =>
    values.map((value): [string, Change] => [
      JSON.stringify([call, name, value]),
      (headers) => headers[call](name, value),
    ]),
  ),
  ...(['delete', 'get', 'has'] as const).map((call): [string, Change] => [
    JSON.stringify([call, name]),
    (headers) => headers[call](name),
  ]),
])

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

/** What changes return, one after the other, and what there is afterwards. */
function after(headers: Headers, ...made: Change[]): unknown {
  return [...made.map((change) => outcome(() => change(headers))), all(headers)]
}

test('are to their users what those of Node are, after any two changes', () => {
  const different = changes.flatMap(([first, one]) =>
    changes
      .filter(
        ([, two]) => !isDeepStrictEqual(after(new PlainHeaders(), one, two), after(new Headers(), one, two)),
      )
      .map(([second]) => `${first} ${second}`),
  )
  expect(different).toEqual([])
})

test('take the same characters as those of Node', () => {
  const empty: Change = (headers) => headers.append('', 'x')
  expect(after(new PlainHeaders(), empty)).toEqual(after(new Headers(), empty))
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code)
    const made: Change[] = [
      (headers) => headers.set(`a${character}`, 'x'),
      (headers) => headers.set('b', character),
      (headers) => headers.append('b', `x${character}y`),
    ]
    expect([code, after(new PlainHeaders(), ...made)]).toEqual([code, after(new Headers(), ...made)])
  }
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
