import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Patience } from './patience.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('is spent by waiting alone, and once by what waits at the same time', () => {
  const patience = new Patience(1_000)
  const pass = (milliseconds: number) => {
    for (let at = 0; at < milliseconds; at += 100) {
      vi.advanceTimersByTime(100)
      void patience.isOver
    }
  }
  pass(5_000)
  const [one, other] = [patience.wait(), patience.wait()]
  pass(600)
  one[Symbol.dispose]()
  one[Symbol.dispose]()
  pass(300)
  expect(patience.isOver).toBe(false)
  other[Symbol.dispose]()
  pass(5_000)
  expect(patience.isOver).toBe(false)
  using _wait = patience.wait()
  vi.advanceTimersByTime(100)
  expect(patience.isOver).toBe(true)
})

it('is hardly spent while nobody has the time to look', () => {
  const patience = new Patience(1_000)
  using _wait = patience.wait()
  vi.advanceTimersByTime(60_000)
  expect(patience.isOver).toBe(false)
})
