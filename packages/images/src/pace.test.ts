import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Pace } from './pace.ts'

const MiB = 1024 * 1024

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('is brisk from 1 MiB a second on, measured over two seconds, of which the first are free', () => {
  const pace = new Pace(100 * MiB, 5 * MiB)
  expect(pace.timeLeft).toBeUndefined()
  vi.advanceTimersByTime(1_900)
  expect(pace.isBrisk).toBe(true)
  vi.advanceTimersByTime(200)
  pace.advance(5 * MiB + 100)
  expect(pace.isBrisk).toBe(false)
  pace.advance(8 * MiB)
  vi.advanceTimersByTime(2_000)
  expect(pace.isBrisk).toBe(true)
  vi.advanceTimersByTime(2_000)
  expect(pace.isBrisk).toBe(false)
})

it('is brisk once everything is there', () => {
  const pace = new Pace(MiB)
  pace.advance(MiB)
  vi.advanceTimersByTime(10_000)
  expect(pace.isBrisk).toBe(true)
})
