import { setImmediate as later } from 'node:timers/promises'
import { turnsOf } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import {
  runYielding,
  shouldYield,
  timeSlice,
  yieldBetween,
  yieldToEventLoop,
} from './cooperative-yielding.ts'

/** Holds the event loop for a whole time slice. */
function work(): void {
  const end = performance.now() + timeSlice
  while (performance.now() < end);
}

describe('long work on the event loop', () => {
  it('has a turn that is over after a while, and then another', async () => {
    await later()
    expect(shouldYield()).toBe(false)
    work()
    expect(shouldYield()).toBe(true)
    await yieldToEventLoop()
    expect(shouldYield()).toBe(false)
  })

  it('counts together with that of others in the same turn', async () => {
    await later()
    shouldYield()
    work()
    const other = () => shouldYield()
    expect(other()).toBe(true)
  })

  it('goes on once in each turn, however many have to wait', async () => {
    const order: number[] = []
    const waiting = [0, 1, 2, 3, 4, 5, 6, 7].map(async (each) => {
      await yieldToEventLoop()
      order.push(each)
    })
    expect(await turnsOf(Promise.all(waiting))).toBeGreaterThanOrEqual(8)
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('ends where it would go on, if it was aborted', async () => {
    const reason = new Error('given up')
    await expect(yieldToEventLoop({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(yieldToEventLoop()).resolves.toBe(undefined)
  })

  it('lets others have their turn between pieces, in the order of the pieces', async () => {
    const done: number[] = []
    const all = async () => {
      for await (const piece of yieldBetween([1, 2, 3, 4, 5])) {
        work()
        done.push(piece)
      }
    }
    expect(await turnsOf(all())).toBeGreaterThanOrEqual(5)
    expect(done).toEqual([1, 2, 3, 4, 5])
  })

  it('goes on in later turns where it is written in steps', async () => {
    function* steps(): Generator<void, string, void> {
      for (let step = 0; step < 5; step++) {
        work()
        yield
      }
      return 'result'
    }
    const result = runYielding(steps())
    expect(await turnsOf(result)).toBeGreaterThanOrEqual(5)
    expect(await result).toBe('result')
    await expect(runYielding(steps(), { signal: AbortSignal.abort(new Error('given up')) })).rejects.toThrow(
      'given up',
    )
  })

  it('waits for nobody while it is short', async () => {
    await later()
    const seen: number[] = []
    const all = (async () => {
      for await (const piece of yieldBetween([1, 2, 3])) seen.push(piece)
    })()
    await Promise.resolve()
    expect(await turnsOf(all)).toBeLessThanOrEqual(2)
    expect(seen).toEqual([1, 2, 3])
  })
})
