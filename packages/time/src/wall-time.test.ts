import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { wallTime } from './wall-time.ts'

test("lies between two readings of the system's clock by another program, to the microsecond", async () => {
  const bash = spawn('bash', ['-c', 'while read -r; do echo "$EPOCHREALTIME"; done'])
  const ended = once(bash, 'close')
  const lines = createInterface({ input: bash.stdout })[Symbol.asyncIterator]()
  const other = async () => {
    bash.stdin.write('\n')
    return Number((await lines.next()).value.replace('.', ''))
  }
  for (let round = 0; round < 200; round++) {
    const before = await other()
    const time = Math.floor(wallTime() * 1000)
    const after = await other()
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(after)
  }
  bash.stdin.end()
  await ended
})

test('tells apart what is done in one millisecond', () => {
  let same = 0
  let last = wallTime()
  for (let i = 0; i < 1000; i++) {
    const time = wallTime()
    if (time <= last) same++
    last = time
  }
  expect(same).toBeLessThan(500)
})

test('D22 follows the clock when it is set', () => {
  const realNow = Date.now
  onTestFinished(() => void vi.restoreAllMocks())
  wallTime()
  for (const change of [3_600_000, -3_600_000, 2, 0]) {
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + change)
    expect(Math.abs(wallTime() - (realNow() + change))).toBeLessThan(1_000)
    const earlier = realNow() + change
    expect(wallTime()).toBeGreaterThan(earlier - 1)
  }
})

test('holds nobody up when the clock stands', () => {
  onTestFinished(() => void vi.restoreAllMocks())
  vi.spyOn(Date, 'now').mockReturnValue(5_000)
  expect(Math.floor(wallTime())).toBe(5_000)
})
