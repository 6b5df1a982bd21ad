import { expect, test } from 'vitest'
import { createClock } from './clock.ts'
import { Timestamp } from './timestamp.ts'

test('D22 times of records go on when the clock is set back, and follow it when it is set forward', () => {
  let now = 1_000_000
  const clock = createClock(() => now)
  const first = clock.stamp()
  expect(first.epochMicroseconds).toBe(1_000_000_000)
  now -= 3_600
  expect(clock.stamp().epochMicroseconds).toBe(1_000_000_001)
  expect(clock.stamp().epochMicroseconds).toBe(1_000_000_002)
  expect(clock.now()).toBe(now)
  now = 2_000_000
  expect(clock.stamp().epochMicroseconds).toBe(2_000_000_000)
})

test('a change is later than what it changes, and one from the future moves nothing else', () => {
  const clock = createClock(() => 1_000.5)
  const future = new Timestamp(50, 999_999_999)
  expect(clock.stamp(future).epochMicroseconds).toBe(51_000_000)
  expect(clock.stamp().epochMicroseconds).toBe(1_000_501)
  expect(clock.stamp(new Timestamp(1)).epochMicroseconds).toBe(1_000_502)
})
