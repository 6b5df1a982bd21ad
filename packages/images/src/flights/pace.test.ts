import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Pace } from './pace.ts'

const MiB = 1024 * 1024

/** Lets milliseconds pass, with a check in each tenth of a second. */
function pass(pace: Pace, milliseconds: number): void {
  for (let at = 0; at < milliseconds; at += 100) {
    vi.advanceTimersByTime(100)
    void pace.isBrisk
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('is brisk from 1 MiB a second on, measured over two seconds, of which the first are free', () => {
  const pace = new Pace(100 * MiB, 5 * MiB)
  expect(pace.timeLeft).toBeUndefined()
  pass(pace, 1_900)
  expect(pace.isBrisk).toBe(true)
  pass(pace, 200)
  pace.advance(5 * MiB + 100)
  expect(pace.isBrisk).toBe(false)
  pace.advance(8 * MiB)
  pass(pace, 2_000)
  expect(pace.isBrisk).toBe(true)
  pass(pace, 2_000)
  expect(pace.isBrisk).toBe(false)
})

it('is brisk once everything is there', () => {
  const pace = new Pace(MiB)
  pace.advance(MiB)
  pass(pace, 10_000)
  expect(pace.isBrisk).toBe(true)
})
