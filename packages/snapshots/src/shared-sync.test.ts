import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SharedSync } from './shared-sync.ts'

function counted(fail = (_run: number) => false) {
  const state = { runs: 0, together: 0, most: 0 }
  const sync = new SharedSync(async () => {
    state.runs++
    const run = state.runs
    state.most = Math.max(state.most, ++state.together)
    await delay(10)
    state.together--
    if (fail(run)) throw new Error(`run ${run}`)
  })
  return { sync, state }
}

test('runs once for all who ask together', async () => {
  const { sync, state } = counted()
  await Promise.all(Array.from({ length: 10 }, () => sync.run()))
  expect(state.runs).toBe(1)
})

test('runs again for those who ask while it is running, once and not beside it', async () => {
  const { sync, state } = counted()
  const first = sync.run()
  await delay(5)
  const later = [sync.run(), sync.run()]
  await first
  expect(state.runs).toBe(1)
  later.push(sync.run())
  await Promise.all(later)
  expect(state).toMatchObject({ runs: 2, most: 1 })
  await sync.run()
  expect(state.runs).toBe(3)
})

test('tells of a failure those whose run it was, and nobody else', async () => {
  const { sync } = counted((run) => run === 1)
  const first = sync.run()
  await delay(5)
  const second = sync.run()
  await expect(first).rejects.toThrow('run 1')
  await second
})
