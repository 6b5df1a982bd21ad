import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Semaphore } from './semaphore.ts'

test('lets as many in as there are permits, and the others in the order of asking', async () => {
  const semaphore = new Semaphore(2)
  const entered: number[] = []
  const held = [await semaphore.acquire(), await semaphore.acquire()]
  const waiting = [1, 2].map(async (n) => {
    const permit = await semaphore.acquire()
    entered.push(n)
    return permit
  })
  await nextTurn()
  expect(entered).toEqual([])
  held[0]?.[Symbol.dispose]()
  await waiting[0]
  expect(entered).toEqual([1])
  held[1]?.[Symbol.dispose]()
  await waiting[1]
  expect(entered).toEqual([1, 2])
})

test('who finds a permit right after another was granted one goes on after that one', async () => {
  const semaphore = new Semaphore(2)
  const held = [await semaphore.acquire(), await semaphore.acquire()]
  const order: string[] = []
  const waiting = semaphore.acquire().then(() => order.push('waited'))
  for (const permit of held) permit[Symbol.dispose]()
  await Promise.all([semaphore.acquire().then(() => order.push('found')), waiting])
  expect(order).toEqual(['waited', 'found'])
})

test('takes a permit back once, however often it is disposed of', async () => {
  const semaphore = new Semaphore(1)
  const first = await semaphore.acquire()
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  using _only = await semaphore.acquire()
  expect(semaphore.tryAcquire()).toBeUndefined()
})

test('an aborted waiter leaves the queue, costs no permit and leaves nothing on the signal', async () => {
  const semaphore = new Semaphore(1)
  const held = await semaphore.acquire()
  const gaveUp = new AbortController()
  const waiting = semaphore.acquire(gaveUp)
  const behind = semaphore.acquire()
  const reason = new Error('enough')
  gaveUp.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  expect(getEventListeners(gaveUp.signal, 'abort')).toHaveLength(0)
  held[Symbol.dispose]()
  const last = await behind
  last[Symbol.dispose]()
  expect(semaphore.isIdle).toBe(true)
  await expect(semaphore.acquire(gaveUp)).rejects.toBe(reason)
  expect(semaphore.isIdle).toBe(true)
})

test('gives a permit at once or not at all to who does not want to wait, and lets nobody overtake', async () => {
  const semaphore = new Semaphore(1)
  const held = semaphore.tryAcquire()
  expect(held).toBeDefined()
  expect(semaphore.tryAcquire()).toBeUndefined()
  const waiting = semaphore.acquire()
  held?.[Symbol.dispose]()
  expect(semaphore.tryAcquire()).toBeUndefined()
  using _granted = await waiting
  expect(new Semaphore(0).tryAcquire()).toBeUndefined()
})

test('whatever is asked for, given back and aborted: bounded, in order, and all comes back', async () => {
  const step = fc.oneof(
    fc.constant('acquire' as const),
    fc.constant('try' as const),
    fc.constant('turn' as const),
    fc.record({ release: fc.nat() }),
    fc.record({ abort: fc.nat() }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 40 }),
      async (permits, steps) => {
        const semaphore = new Semaphore(permits)
        const held: Disposable[] = []
        const asked: AbortController[] = []
        const order: number[] = []
        const all: Promise<void>[] = []
        for (const each of steps) {
          if (each === 'turn') await nextTurn()
          else if (each === 'try') {
            const permit = semaphore.tryAcquire()
            if (permit) held.push(permit)
          } else if (each === 'acquire') {
            const controller = new AbortController()
            const number = asked.push(controller)
            const taken = semaphore.acquire(controller).then(
              (permit) => {
                held.push(permit)
                order.push(number)
              },
              (error: unknown) => expect(error).toBe(controller.signal.reason),
            )
            all.push(taken)
          } else if ('abort' in each) asked[each.abort % asked.length]?.abort(new Error('enough'))
          else held.splice(each.release % Math.max(1, held.length), 1)[0]?.[Symbol.dispose]()
          expect(held.length).toBeLessThanOrEqual(permits)
        }
        // Those who still wait get theirs as the others let go.
        let settled = false
        const ending = Promise.all(all).then(() => {
          settled = true
        })
        for (; !settled; await nextTurn()) {
          expect(held.length).toBeLessThanOrEqual(permits)
          for (const permit of held.splice(0)) permit[Symbol.dispose]()
        }
        await ending
        for (const permit of held) permit[Symbol.dispose]()
        expect(order).toEqual([...order].sort((a, b) => a - b))
        expect(semaphore.isIdle).toBe(true)
        for (const { signal } of asked) expect(getEventListeners(signal, 'abort')).toHaveLength(0)
      },
    ),
    { numRuns: 200 },
  )
})
