import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WakeUp } from './wake-up.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('wakes once, at the earliest time it was asked for', () => {
  const body = vi.fn()
  using wakeUp = new WakeUp(Date.now, body)
  wakeUp.at(Date.now() + 500)
  wakeUp.at(Date.now() + 100)
  wakeUp.at(Date.now() + 900)
  vi.advanceTimersByTime(99)
  expect(body).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(body).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(10_000)
  expect(body).toHaveBeenCalledTimes(1)
})

test('wakes at a time further away than a timer of Node can wait', () => {
  const body = vi.fn()
  using wakeUp = new WakeUp(Date.now, body)
  const far = 60 * 24 * 60 * 60 * 1000
  wakeUp.at(Date.now() + far)
  vi.advanceTimersByTime(far - 1)
  expect(body).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(body).toHaveBeenCalledTimes(1)
})

test('goes by the clock, not by the time that passes, and looks at it once an hour', () => {
  const body = vi.fn()
  let now = 0
  using wakeUp = new WakeUp(() => now, body)
  wakeUp.at(1000)
  vi.advanceTimersByTime(5000)
  expect(body).not.toHaveBeenCalled()
  wakeUp.at(500_000_000)
  now = 2000
  vi.advanceTimersByTime(1000)
  expect(body).toHaveBeenCalledTimes(1)
  wakeUp.at(500_000_000)
  now = 500_000_000
  vi.advanceTimersByTime(60 * 60 * 1000)
  expect(body).toHaveBeenCalledTimes(2)
})

test('does not wake after it was disposed of', () => {
  const body = vi.fn()
  const wakeUp = new WakeUp(Date.now, body)
  wakeUp.at(Date.now() + 100)
  wakeUp[Symbol.dispose]()
  wakeUp.at(Date.now() + 100)
  vi.advanceTimersByTime(1000)
  expect(body).not.toHaveBeenCalled()
})
