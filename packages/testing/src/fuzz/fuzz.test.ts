import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attempt, attemptAsync } from './attempt.ts'
import { mutatedBytes, shown } from './mutated-bytes.ts'
import { mutatedJson } from './mutated-json.ts'

class Coded extends Error {
  override readonly name = 'NsboxError'
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

test('a call is accepted or refused with a code; every other error is a fault', async () => {
  expect(attempt(() => 1)).toEqual({ outcome: 'accepted', value: 1 })
  const refuse = (error: Error) => () => {
    throw error
  }
  expect(attempt(refuse(new Coded('invalid_argument')))).toEqual({ outcome: 'invalid_argument' })
  for (const fault of [new Coded('internal'), new Coded('unknown'), new TypeError('x')])
    expect(() => attempt(refuse(fault))).toThrow(fault)
  expect(await attemptAsync(async () => refuse(new Coded('not_found'))())).toEqual({ outcome: 'not_found' })
})

test('real input is changed, sometimes not at all, and the same seed changes it in the same way', () => {
  const seeds = ['first of them', 'another']
  const bytes = () => fc.sample(mutatedBytes(seeds), { seed: 1, numRuns: 300 }).map(String)
  const found = bytes()
  expect(bytes()).toEqual(found)
  for (const seed of seeds) expect(found).toContain(seed)
  expect(new Set(found).size).toBeGreaterThan(150)
  const json = fc
    .sample(mutatedJson([{ a: [1, 'x'] }]), { seed: 1, numRuns: 300 })
    .map((value) => JSON.stringify(value))
  expect(json).toContain('{"a":[1,"x"]}')
  expect(new Set(json).size).toBeGreaterThan(100)
})

test('bytes are shown as text, and many of one as their number', () => {
  expect(fc.stringify(shown(Buffer.from(`a${'\0'.repeat(500)}b`)))).toBe('"a«500×\\u0000»b"')
})
