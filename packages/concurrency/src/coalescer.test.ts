import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Coalescer } from './coalescer.ts'
import { type Deferred, deferred } from './deferred.ts'

/** Runs whose ends the test decides. */
function held(gather?: () => Promise<unknown>) {
  const runs: Deferred<number>[] = []
  const body = () => {
    const run = deferred<number>()
    runs.push(run)
    return run.promise
  }
  return { runs, coalescer: new Coalescer(body, gather && { gather }) }
}

test('runs once for all who ask together', async () => {
  const { runs, coalescer } = held()
  const all = Promise.all([coalescer.run(), coalescer.run(), coalescer.run()])
  await nextTurn()
  expect(runs).toHaveLength(1)
  runs[0]?.resolve(7)
  expect(await all).toEqual([7, 7, 7])
})

test('runs again for those who ask while it runs, once and not beside it', async () => {
  const { runs, coalescer } = held()
  const first = coalescer.run()
  await nextTurn()
  expect(coalescer.latest).toBe(first)
  const later = [coalescer.run(), coalescer.run()]
  await nextTurn()
  later.push(coalescer.run())
  expect(runs).toHaveLength(1)
  runs[0]?.resolve(1)
  expect(await first).toBe(1)
  await nextTurn()
  expect(runs).toHaveLength(2)
  runs[1]?.resolve(2)
  expect(await Promise.all(later)).toEqual([2, 2, 2])
  expect(runs).toHaveLength(2)
})

test('those who ask within a turn of the event loop share a run, and wait a turn for it', async () => {
  const { runs, coalescer } = held(nextTurn)
  const first = coalescer.run()
  await null
  await null
  const second = coalescer.run()
  expect(second).toBe(first)
  await nextTurn()
  await nextTurn()
  runs[0]?.resolve(1)
  expect(await second).toBe(1)
  expect(runs).toHaveLength(1)
})

test('tells of a failure those whose run it was, and nobody else', async () => {
  const { runs, coalescer } = held()
  const first = coalescer.run()
  await nextTurn()
  const second = coalescer.run()
  runs[0]?.reject(new Error('first'))
  await expect(first).rejects.toThrow('first')
  await nextTurn()
  runs[1]?.resolve(2)
  expect(await second).toBe(2)
})

test('is settled when nothing that was asked for runs any more', async () => {
  const { runs, coalescer } = held()
  await coalescer.settled()
  const first = coalescer.run().catch(() => 'failed')
  await nextTurn()
  const second = coalescer.run()
  let settled = false
  const ending = coalescer.settled().then(() => {
    settled = true
  })
  runs[0]?.reject(new Error('first'))
  expect(await first).toBe('failed')
  await nextTurn()
  expect(settled).toBe(false)
  runs[1]?.resolve(2)
  await Promise.all([second, ending])
})

test('whenever they ask: each is served by a run that begins later, none runs beside another', async () => {
  const asking = fc.array(fc.record({ turns: fc.nat(4), takes: fc.nat(3), fails: fc.boolean() }), {
    minLength: 1,
    maxLength: 20,
  })
  await fc.assert(
    fc.asyncProperty(asking, fc.boolean(), async (asks, gathers) => {
      let begun = 0
      let running = 0
      const coalescer = new Coalescer(
        async () => {
          const run = ++begun
          expect(++running).toBe(1)
          const { takes, fails } = asks[run % asks.length]!
          for (let turn = 0; turn < takes; turn++) await nextTurn()
          running -= 1
          if (fails) throw run
          return run
        },
        gathers ? { gather: nextTurn } : {},
      )
      const all: Promise<void>[] = []
      for (const { turns } of asks) {
        for (let turn = 0; turn < turns; turn++) await nextTurn()
        const before = begun
        const served = (run: unknown) => {
          expect(run).toBe(before + 1)
        }
        all.push(coalescer.run().then(served, served))
      }
      await Promise.all(all)
      expect(begun).toBeLessThanOrEqual(asks.length)
      await coalescer.settled()
      expect(running).toBe(0)
    }),
    { numRuns: 200 },
  )
})
