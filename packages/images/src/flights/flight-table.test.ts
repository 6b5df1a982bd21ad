import { expect, it } from 'vitest'
import { FlightTable } from './flight-table.ts'

const always = () => true

it('waits for those of the same key only, until the last that is worth it has ended', async () => {
  const table = new FlightTable<{ readonly name: string }>()
  const [a, b] = [{ name: 'a' }, { name: 'b' }]
  const [endA, endB] = [table.begin('key', a), table.begin('key', b)]
  await table.settled('other', always)
  const asked: string[] = []
  let over = false
  const settled = table
    .settled('key', ({ name }) => {
      asked.push(name)
      return name === 'b'
    })
    .then(() => {
      over = true
    })
  endA[Symbol.dispose]()
  await new Promise(setImmediate)
  expect([over, new Set(asked)]).toEqual([false, new Set(['a', 'b'])])
  expect(table.of('key')).toEqual([b])
  endB[Symbol.dispose]()
  endB[Symbol.dispose]()
  await settled
  expect(table.of('key')).toEqual([])
})

it('goes on without those that are not worth it any more', async () => {
  const table = new FlightTable<object>()
  using _flight = table.begin('key', {})
  let looks = 0
  await table.settled('key', () => {
    looks += 1
    return looks < 3
  })
  expect([looks, table.of('key').length]).toEqual([3, 1])
})

it('lets one of those who wait begin, and the others wait for it', async () => {
  const table = new FlightTable<object>()
  const first = table.begin('key', {})
  const begun: number[] = []
  let underWay = 0
  let most = 0
  const waiting = [1, 2, 3].map(async (number) => {
    while (table.of('key').length > 0) await table.settled('key', always)
    using _flight = table.begin('key', {})
    begun.push(number)
    underWay += 1
    most = Math.max(most, underWay)
    await new Promise(setImmediate)
    underWay -= 1
  })
  first[Symbol.dispose]()
  await Promise.all(waiting)
  expect([begun, most]).toEqual([[1, 2, 3], 1])
})

it('ends a wait by its signal', async () => {
  const table = new FlightTable<object>()
  using _flight = table.begin('key', {})
  await expect(table.settled('key', always, { signal: AbortSignal.timeout(5) })).rejects.toThrow()
})
