import { expect, it } from 'vitest'
import { createFlights } from './flights.ts'

it('lets one in at a time by key, and does not hold up other keys', async () => {
  const flights = createFlights()
  const first = await flights.enter('a')
  using _other = await flights.enter('b')
  let entered = false
  const second = flights.enter('a').then((flight) => {
    entered = true
    return flight
  })
  await new Promise(setImmediate)
  expect(entered).toBe(false)
  first[Symbol.dispose]()
  using _second = await second
  expect(entered).toBe(true)
})

it('an aborted waiter does not keep the next from entering', async () => {
  const flights = createFlights()
  const first = await flights.enter('a')
  await expect(flights.enter('a', { signal: AbortSignal.timeout(5) })).rejects.toThrow()
  first[Symbol.dispose]()
  using again = await flights.enter('a')
  expect(again).toBeDefined()
})
