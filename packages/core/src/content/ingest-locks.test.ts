import { expect, test } from 'vitest'
import { IngestLocks } from './ingest-locks.ts'

test('a ref is taken once in each namespace, until it is let go', () => {
  const locks = new IngestLocks(() => 0)
  const first = locks.acquire('r', 'a')
  expect(() => locks.acquire('r', 'a')).toThrow('ref r locked for 0s')
  using _other = locks.acquire('r', 'b')
  first[Symbol.dispose]()
  expect(locks.has('r', 'a')).toBe(false)
  using _again = locks.acquire('r', 'a')
  first[Symbol.dispose]()
  expect(locks.has('r', 'a')).toBe(true)
})

test('tells since when a ref is taken, by a clock that may be set back', () => {
  let now = Date.UTC(2020, 0, 2)
  const locks = new IngestLocks(() => now)
  using _held = locks.acquire('two words')
  now += 1500
  expect(() => locks.acquire('two words')).toThrow(
    'ref two words locked for 1.5s (since 2020-01-02T00:00:00.000Z): unavailable',
  )
  now -= 60_000
  expect(() => locks.acquire('two words')).toThrow('locked for 0s')
})
