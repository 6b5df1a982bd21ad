import { getEventListeners } from 'node:events'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { mapConcurrently } from './map-concurrently.ts'

test('results are in the order of the items, and no more are in work than allowed', async () => {
  let running = 0
  let most = 0
  const work = async (item: number) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < item; turn++) await nextTurn()
    running--
    return item * 10
  }
  expect(await mapConcurrently([5, 1, 3, 4, 2], work, { concurrency: 2 })).toEqual([50, 10, 30, 40, 20])
  expect(most).toBe(2)
  expect(await mapConcurrently(new Set([5, 1, 3, 4, 2]), work)).toEqual([50, 10, 30, 40, 20])
  expect(most).toBe(5)
  expect(await mapConcurrently([], () => Promise.reject(new Error('nothing to do')))).toEqual([])
})

test('all begin within the call where nothing bounds them, in the order of the items', () => {
  const begun: number[] = []
  void mapConcurrently([1, 2, 3], async (item) => begun.push(item))
  expect(begun).toEqual([1, 2, 3])
})

test('the first failure aborts what is in work, which is waited for, and nothing more is begun', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const failed = mapConcurrently(
    [0, 1, 2, 3],
    async (item, signal) => {
      begun.push(item)
      if (item === 1) throw new Error('first')
      await delay(60_000, undefined, { signal }).catch(() => undefined)
      await nextTurn()
      ended.push(item)
      throw new Error('second')
    },
    { concurrency: 2 },
  )
  await expect(failed).rejects.toThrow('first')
  expect({ begun, ended }).toEqual({ begun: [0, 1], ended: [0] })
})

test('a failure is thrown whatever it is', async () => {
  await expect(mapConcurrently([0], () => Promise.reject(undefined))).rejects.toBe(undefined)
})

test('an abort from outside ends it with its reason, and leaves nothing on the signal', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const failed = mapConcurrently([0, 1], (_, given) => delay(60_000, undefined, { signal: given }), {
    concurrency: 1,
    signal,
  })
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(failed).rejects.toMatchObject({ name: 'AbortError', cause: reason })
  await expect(mapConcurrently([0], () => Promise.reject(new Error('begun')), { signal })).rejects.toBe(
    reason,
  )
  const deaf = new AbortController()
  const unheard = mapConcurrently([0, 1], () => nextTurn(), { concurrency: 1, signal: deaf.signal })
  deaf.abort(reason)
  await expect(unheard).rejects.toBe(reason)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
