import { getEventListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { deferred } from './deferred.ts'
import { SingleFlight } from './single-flight.ts'

test('does work once for all who want it at the same time, by key, and anew for those who come later', async () => {
  const flights = new SingleFlight<number>()
  let runs = 0
  const work = async () => {
    runs += 1
    await delay(1)
    return runs
  }
  const found = await Promise.all([flights.run('a', work), flights.run('a', work), flights.run('b', work)])
  expect(found).toEqual([2, 2, 2])
  expect(runs).toBe(2)
  expect(await flights.run('a', work)).toBe(3)
})

test('tells all who wait of a failure, and forgets it', async () => {
  const flights = new SingleFlight<string>()
  const failing = () => Promise.reject(new Error('no'))
  const all = await Promise.allSettled([flights.run('a', failing), flights.run('a', failing)])
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await flights.run('a', async () => 'yes')).toBe('yes')
})

test('a caller that gives up leaves the work to the others, and the last one ends it', async () => {
  const flights = new SingleFlight<string>()
  const callers = [new AbortController(), new AbortController()]
  const result = deferred<string>()
  let given: AbortSignal | undefined
  const work = (signal: AbortSignal) => {
    given = signal
    return result.promise
  }
  const [first, second] = callers.map((caller) => flights.run('a', work, caller))
  callers[0]?.abort(new Error('first'))
  await expect(first).rejects.toThrow('first')
  expect(given?.aborted).toBe(false)
  callers[1]?.abort(new Error('second'))
  await expect(second).rejects.toThrow('second')
  expect(given?.aborted).toBe(true)
  // Whoever comes now gets a flight of its own, however slowly the old one ends.
  const anew = flights.run('a', async () => 'new')
  result.resolve('old')
  expect(await anew).toBe('new')
  for (const { signal } of callers) expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('does not begin for a caller that has given up already', async () => {
  const flights = new SingleFlight<string>()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(flights.run('a', () => Promise.reject(new Error('begun')), { signal })).rejects.toThrow(
    'enough',
  )
})
