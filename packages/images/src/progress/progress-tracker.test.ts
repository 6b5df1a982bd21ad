import type { TransferProgress } from '@nsbox/core/transfer'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ProgressTracker } from './progress-tracker.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const at = (event: string, progress: number): TransferProgress => {
  return { event, name: 'layer', parents: [], progress, total: 100 }
}

it('tells of states at once and of bytes at most ten times a second', () => {
  const told: TransferProgress[] = []
  using tracker = new ProgressTracker((progress) => told.push(progress))
  tracker.state(at('waiting', 0))
  for (let i = 0; i < 50; i++) tracker.move(at('downloading', i))
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(100)
  expect(told.map(({ progress }) => progress)).toEqual([0, 49])
})

it('never tells of bytes after a later state', () => {
  const told: TransferProgress[] = []
  using tracker = new ProgressTracker((progress) => told.push(progress))
  tracker.move(at('downloading', 5))
  tracker.state(at('complete', 100))
  vi.advanceTimersByTime(1000)
  expect(told.map(({ event }) => event)).toEqual(['complete'])
})
