import { expect, test } from 'vitest'
import { InodeSet } from './inode-set.ts'

test('knows each of many numbers again, and takes no more than it may', () => {
  const set = new InodeSet(5000)
  const numbers = Array.from({ length: 5000 }, (_, n) => (n % 2 === 0 ? BigInt(n + 1) : BigInt(n) << 33n))
  for (const number of numbers) expect(set.add(number)).toBe('new')
  for (const number of numbers) expect(set.add(number)).toBe('known')
  expect(set.add(1n << 60n)).toBe('full')
  expect(set.add(1n << 60n)).toBe('full')
})
