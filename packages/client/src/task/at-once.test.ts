import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atOnce } from './at-once.ts'

test('results are in the order of the items, and no more are under way than allowed', async () => {
  let running = 0
  let most = 0
  const results = await atOnce([5, 1, 3, 0, 2], 2, async (item) => {
    most = Math.max(most, ++running)
    await delay(item)
    running--
    return item * 10
  })
  expect(results).toEqual([50, 10, 30, 0, 20])
  expect(most).toBe(2)
  expect(await atOnce([], 2, () => Promise.reject(new Error('nothing to do')))).toEqual([])
})

test('the first failure aborts what is under way, which is waited for, and nothing more is begun', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const failed = atOnce([0, 1, 2, 3], 2, async (item, signal) => {
    begun.push(item)
    if (item === 1) throw new Error('first')
    await delay(60_000, undefined, { signal }).catch(() => undefined)
    await delay(1)
    ended.push(item)
    throw new Error('second')
  })
  await expect(failed).rejects.toThrow('first')
  expect({ begun, ended }).toEqual({ begun: [0, 1], ended: [0] })
})

test('an abort from outside ends it with its reason', async () => {
  const controller = new AbortController()
  const failed = atOnce([0, 1], 1, (_, signal) => delay(60_000, undefined, { signal }), controller.signal)
  controller.abort(new Error('enough'))
  await expect(failed).rejects.toMatchObject({ name: 'AbortError', cause: new Error('enough') })
  const done = atOnce([0], 1, async () => undefined, controller.signal)
  await expect(done).rejects.toThrow('enough')
})
