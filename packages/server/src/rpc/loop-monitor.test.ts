import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LoopMonitor } from './loop-monitor.ts'

let lines: Record<string, unknown>[]
let now: number
let used: number
let monitor: LoopMonitor

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  now = used = 0
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) })
  monitor = new LoopMonitor({ log, now: () => now, processorTime: () => used })
})
afterEach(() => {
  monitor[Symbol.dispose]()
  vi.useRealTimers()
})

/** Advances the clock: timers that are due run, and then run late. */
function pass(ms: number, { late = 0, processor = late }: { late?: number; processor?: number } = {}) {
  now += ms + late
  used += processor
  vi.advanceTimersByTime(ms)
}

test('E05 a method that holds the loop for more than 100 ms is named', () => {
  monitor.touch(Images.method.list)
  pass(50, { late: 101 })
  expect(lines).toMatchObject([
    { level: 40, ms: 101, methods: ['containerd.services.images.v1.Images/List'], of: 1 },
  ])
})

test('what was worked on before the loop was held is named, if nothing has been since', () => {
  monitor.touch(Images.method.list)
  pass(50)
  pass(50, { late: 500 })
  expect(lines).toMatchObject([{ methods: ['containerd.services.images.v1.Images/List'] }])
})

test('less, and what other processes take, is not told', () => {
  for (const load of [{ late: 99 }, { late: 5000, processor: 100 }]) {
    monitor.touch(Version.method.version)
    pass(50, load)
  }
  expect(lines).toEqual([])
})

test('a server without calls is not woken', () => {
  monitor.touch(Version.method.version)
  expect(vi.getTimerCount()).toBe(1)
  for (let beats = 0; beats < 21; beats++) pass(50)
  expect(vi.getTimerCount()).toBe(0)
  monitor.touch(Version.method.version)
  expect(vi.getTimerCount()).toBe(1)
})
