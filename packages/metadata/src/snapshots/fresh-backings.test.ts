import { expect, test } from 'vitest'
import { FreshBackings } from './fresh-backings.ts'

test('a layer that is applied to a fresh backing is all that there is in it', () => {
  const fresh = new FreshBackings()
  fresh.add(1)
  expect([fresh.beginApplying(1), fresh.endApplying(1)]).toEqual([true, true])
  // It has a layer now.
  expect([fresh.beginApplying(1), fresh.endApplying(1), fresh.forget(1)]).toEqual([false, false, false])
})

test('it is not if somebody else may have written before or meanwhile, or a layer is being applied already', () => {
  const fresh = new FreshBackings()
  for (const id of [1, 2, 3]) fresh.add(id)
  expect([fresh.forget(1), fresh.beginApplying(1)]).toEqual([true, false])
  expect([fresh.beginApplying(2), fresh.forget(2), fresh.endApplying(2)]).toEqual([true, true, false])
  expect([fresh.beginApplying(3), fresh.beginApplying(3)]).toEqual([true, false])
  expect(fresh.beginApplying(4)).toBe(false)
})

test('of very many the oldest are forgotten', () => {
  const fresh = new FreshBackings()
  for (let id = 1; id <= 1001; id++) fresh.add(id)
  expect([fresh.forget(1), fresh.forget(2), fresh.forget(1001)]).toEqual([false, true, true])
})
