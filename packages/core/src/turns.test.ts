import { setImmediate as later } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { finishInTurns, inTurns, isTurnOver, nextTurn, turnLength } from './turns.ts'

/** Holds the event loop for a whole turn. */
function work(): void {
  const end = performance.now() + turnLength
  while (performance.now() < end);
}

/** Counts turns of the event loop until the work has ended. */
async function turnsOf(body: Promise<unknown>): Promise<number> {
  let ended = false
  const ending = body.finally(() => {
    ended = true
  })
  let turns = 0
  for (; !ended; turns++) await later()
  await ending
  return turns
}

describe('long work on the event loop', () => {
  it('has a turn that is over after a while, and then another', async () => {
    await later()
    expect(isTurnOver()).toBe(false)
    work()
    expect(isTurnOver()).toBe(true)
    await nextTurn()
    expect(isTurnOver()).toBe(false)
  })

  it('counts together with that of others in the same turn', async () => {
    await later()
    isTurnOver()
    work()
    const other = () => isTurnOver()
    expect(other()).toBe(true)
  })

  it('goes on once in each turn, however many have to wait', async () => {
    const order: number[] = []
    const waiting = [0, 1, 2, 3, 4, 5, 6, 7].map(async (each) => {
      await nextTurn()
      order.push(each)
    })
    expect(await turnsOf(Promise.all(waiting))).toBeGreaterThanOrEqual(8)
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('ends where it would go on, if it was aborted', async () => {
    const reason = new Error('given up')
    await expect(nextTurn(AbortSignal.abort(reason))).rejects.toBe(reason)
    await expect(nextTurn()).resolves.toBe(undefined)
  })

  it('lets others have their turn between pieces, in the order of the pieces', async () => {
    const done: number[] = []
    const all = async () => {
      for await (const piece of inTurns([1, 2, 3, 4, 5])) {
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
    const result = finishInTurns(steps())
    expect(await turnsOf(result)).toBeGreaterThanOrEqual(5)
    expect(await result).toBe('result')
    await expect(finishInTurns(steps(), AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up')
  })

  it('waits for nobody while it is short', async () => {
    await later()
    const seen: number[] = []
    const all = (async () => {
      for await (const piece of inTurns([1, 2, 3])) seen.push(piece)
    })()
    await Promise.resolve()
    expect(await turnsOf(all)).toBeLessThanOrEqual(2)
    expect(seen).toEqual([1, 2, 3])
  })
})
