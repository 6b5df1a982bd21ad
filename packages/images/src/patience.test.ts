import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Patience } from './patience.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('is spent by waiting alone, and once by what waits at the same time', () => {
  const patience = new Patience(1_000)
  vi.advanceTimersByTime(5_000)
  const [one, other] = [patience.wait(), patience.wait()]
  vi.advanceTimersByTime(600)
  one[Symbol.dispose]()
  one[Symbol.dispose]()
  vi.advanceTimersByTime(300)
  expect(patience.isOver).toBe(false)
  other[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(patience.isOver).toBe(false)
  using _wait = patience.wait()
  vi.advanceTimersByTime(100)
  expect(patience.isOver).toBe(true)
})
