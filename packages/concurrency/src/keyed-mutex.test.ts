import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

test('runs those of one key one after the other, and those of other keys beside them', async () => {
  const mutex = new KeyedMutex()
  const log: string[] = []
  const run = (key: string, name: string) =>
    mutex.run(key, async () => {
      log.push(`+${name}`)
      await nextTurn()
      log.push(`-${name}`)
      return name
    })
  expect(await Promise.all([run('a', '1'), run('a', '2'), run('b', '3')])).toEqual(['1', '2', '3'])
  expect(log.indexOf('-1')).toBeLessThan(log.indexOf('+2'))
  expect(log.indexOf('+3')).toBeLessThan(log.indexOf('-1'))
})

test('goes on after a failure, of which its caller is told', async () => {
  const mutex = new KeyedMutex()
  const failing = mutex.run('a', () => Promise.reject(new Error('no')))
  const next = mutex.run('a', async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

test('gives a key at once or not at all to who does not want to wait', () => {
  const mutex = new KeyedMutex()
  const lock = mutex.tryAcquire('a')
  expect(lock).toBeDefined()
  expect(mutex.tryAcquire('a')).toBeUndefined()
  expect(mutex.isHeld('a')).toBe(true)
  expect(mutex.isHeld('b')).toBe(false)
  lock?.[Symbol.dispose]()
  using again = mutex.tryAcquire('a')
  lock?.[Symbol.dispose]()
  expect(again).toBeDefined()
  expect(mutex.isHeld('a')).toBe(true)
})

test('an aborted waiter holds nobody up', async () => {
  const mutex = new KeyedMutex()
  const lock = await mutex.acquire('a')
  const gaveUp = new AbortController()
  const never = mutex.run('a', () => Promise.reject(new Error('begun')), gaveUp)
  const next = mutex.run('a', async () => 'next')
  gaveUp.abort(new Error('enough'))
  await expect(never).rejects.toThrow('enough')
  lock[Symbol.dispose]()
  expect(await next).toBe('next')
  await expect(mutex.acquire('b', gaveUp)).rejects.toThrow('enough')
  expect(['a', 'b'].map((key) => mutex.isHeld(key))).toEqual([false, false])
})

test('whatever is run, and aborted: one for each key, all others at the same time, and nothing is left', async () => {
  const work = fc.record({
    key: fc.nat(3),
    turns: fc.nat(3),
    abortAfter: fc.option(fc.nat(4)),
    fails: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(work, { maxLength: 20 }), async (works) => {
      const mutex = new KeyedMutex<number>()
      const inside = new Set<number>()
      const done = works.map(async ({ key, turns, abortAfter, fails }) => {
        const controller = new AbortController()
        const running = mutex.run(
          key,
          async () => {
            expect(inside.has(key)).toBe(false)
            inside.add(key)
            for (let turn = 0; turn < turns; turn++) await nextTurn()
            inside.delete(key)
            if (fails) throw new Error('failed')
          },
          controller,
        )
        const outcome = running.then(
          () => 'done',
          (error: Error) => error.message,
        )
        for (let turn = 0; turn < (abortAfter ?? 0); turn++) await nextTurn()
        if (abortAfter !== null) controller.abort(new Error('enough'))
        expect([...(abortAfter === null ? [] : ['enough']), fails ? 'failed' : 'done']).toContain(
          await outcome,
        )
      })
      await Promise.all(done)
      expect([0, 1, 2, 3].filter((key) => mutex.isHeld(key))).toEqual([])
    }),
    { numRuns: 200 },
  )
})
