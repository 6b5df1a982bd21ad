import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Alarm } from './alarm.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('rings once, at the earliest time it was asked for', () => {
  const body = vi.fn()
  using alarm = new Alarm(Date.now, body)
  alarm.at(Date.now() + 500)
  alarm.at(Date.now() + 100)
  alarm.at(Date.now() + 900)
  vi.advanceTimersByTime(99)
  expect(body).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(body).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(10_000)
  expect(body).toHaveBeenCalledTimes(1)
})

test('rings at a time further away than a timer of Node can wait', () => {
  const body = vi.fn()
  using alarm = new Alarm(Date.now, body)
  const far = 60 * 24 * 60 * 60 * 1000
  alarm.at(Date.now() + far)
  vi.advanceTimersByTime(far - 1)
  expect(body).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(body).toHaveBeenCalledTimes(1)
})

test('goes by the clock, not by the time that passes, and looks at it once an hour', () => {
  const body = vi.fn()
  let now = 0
  using alarm = new Alarm(() => now, body)
  alarm.at(1000)
  vi.advanceTimersByTime(5000)
  expect(body).not.toHaveBeenCalled()
  alarm.at(500_000_000)
  now = 2000
  vi.advanceTimersByTime(1000)
  expect(body).toHaveBeenCalledTimes(1)
  alarm.at(500_000_000)
  now = 500_000_000
  vi.advanceTimersByTime(60 * 60 * 1000)
  expect(body).toHaveBeenCalledTimes(2)
})

test('does not ring after it was disposed of', () => {
  const body = vi.fn()
  const alarm = new Alarm(Date.now, body)
  alarm.at(Date.now() + 100)
  alarm[Symbol.dispose]()
  alarm.at(Date.now() + 100)
  vi.advanceTimersByTime(1000)
  expect(body).not.toHaveBeenCalled()
})
