import { expect, test } from 'vitest'
import { IngestLocks } from './ingest-locks.ts'

const [a, b] = [{ namespace: 'a' }, { namespace: 'b' }]

test('a ref is taken once in each namespace, until it is let go', async () => {
  const locks = new IngestLocks(() => 0)
  const first = await locks.acquire('r', a)
  await expect(locks.acquire('r', a)).rejects.toThrow('ref r locked for 0s')
  using _other = await locks.acquire('r', b)
  first[Symbol.dispose]()
  expect(locks.has('r', 'a')).toBe(false)
  using _again = await locks.acquire('r', a)
  first[Symbol.dispose]()
  expect(locks.has('r', 'a')).toBe(true)
})

test('tells since when a ref is taken, by a clock that may be set back', async () => {
  let now = Date.UTC(2020, 0, 2)
  const locks = new IngestLocks(() => now)
  using _held = await locks.acquire('two words')
  now += 1500
  await expect(locks.acquire('two words')).rejects.toThrow(
    'ref two words locked for 1.5s (since 2020-01-02T00:00:00.000Z): unavailable',
  )
  now -= 60_000
  await expect(locks.acquire('two words')).rejects.toThrow('locked for 0s')
})

test('who leaves is waited for, as long as the caller likes', async () => {
  const locks = new IngestLocks(() => 0)
  const leaving = await locks.acquire('r')
  leaving.leave()
  const waiting = locks.acquire('r')
  const impatient = new AbortController()
  const given = locks.acquire('r', { signal: impatient.signal })
  impatient.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  leaving[Symbol.dispose]()
  using _next = await waiting
  await expect(locks.acquire('r')).rejects.toMatchObject({ code: 'unavailable' })
})

test('who takes a ref over ends its writer, also one that is only coming', async () => {
  const locks = new IngestLocks(() => 0)
  const calls: string[] = []
  const lock = await locks.acquire('r')
  const over = locks.takeOver('r').then((taken) => {
    calls.push('taken over')
    return taken
  })
  await Promise.resolve()
  lock.hold(async () => {
    calls.push('revoked')
    lock[Symbol.dispose]()
  })
  const taken = await over
  expect(calls).toEqual(['revoked', 'taken over'])
  const next = locks.takeOver('r')
  taken[Symbol.dispose]()
  using _last = await next
})
