import { expect, test } from 'vitest'
import { hasId, parseIdRanges } from './id-ranges.ts'
import { parseSubordinateIds, rangesFor } from './subordinate-ids.ts'

test('reads what the kernel says of the ids of a namespace', () => {
  const ranges = parseIdRanges('         0       1000          1\n         1     100000      65536\n')
  expect(ranges).toEqual([
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ])
  expect([0, 1, 65_536].map((id) => hasId(ranges, id))).toEqual([true, true, true])
  expect(hasId(ranges, 65_537)).toBe(false)
})

test('finds the subordinate ids of a user by name and by number, and leaves other lines out', () => {
  const text = 'ann:100000:65536\nben:1:2\n1000:300000:10\n# ann:5:5\nann:7\nann:7:0\nann:x:1\n'
  expect(parseSubordinateIds(text, { name: 'ann', uid: 1000 })).toEqual([
    { outside: 100_000, count: 65_536 },
    { outside: 300_000, count: 10 },
  ])
  expect(parseSubordinateIds(text, { name: undefined, uid: 1 })).toEqual([])
})

test('gives the user’s own id to root, and the others from 1 on', () => {
  expect(
    rangesFor(1000, [
      { outside: 100_000, count: 3 },
      { outside: 300_000, count: 2 },
    ]),
  ).toEqual([
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 3 },
    { inside: 4, outside: 300_000, count: 2 },
  ])
})
