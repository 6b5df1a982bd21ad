import { NsboxError } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { Leftovers } from './leftovers.ts'

test('E01 what cannot be removed is tried again until it can, while the snapshotter is there', async () => {
  const failures = new Map([
    [1, 2],
    [2, 0],
    [3, 1000],
  ])
  const tried: number[] = []
  const told: unknown[] = []
  const leftovers = new Leftovers({
    async discard(id) {
      tried.push(id)
      const left = failures.get(id) ?? 0
      failures.set(id, left - 1)
      if (left > 0) throw new NsboxError('unavailable', `${id}`)
    },
    onLeftover: (error) => told.push(error),
    delay: 1,
  })
  for (const id of [1, 2, 3]) await leftovers.discard(id)
  expect(tried).toEqual([1, 2, 3])
  await expect.poll(() => tried.filter((id) => id === 1)).toHaveLength(3)
  await expect.poll(() => tried.filter((id) => id === 3).length).toBeGreaterThan(5)
  leftovers[Symbol.dispose]()
  expect(tried.filter((id) => id === 1)).toHaveLength(3)
  expect(tried.filter((id) => id === 2)).toHaveLength(1)
  expect(told.length).toBeGreaterThan(6)
  const count = tried.length
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(tried.length).toBeLessThanOrEqual(count + 1)
})
