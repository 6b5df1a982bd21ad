import { setTimeout as sleep } from 'node:timers/promises'
import { NsboxError } from '@nsbox/errors'
import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idleMemory } from './idle-memory.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function subject(trim = vi.fn(async () => undefined), isBusy = () => false) {
  const logged: { msg: string }[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
  const idle = idleMemory({ trim, isBusy, log })
  const next = vi.fn(async () => 'answer')
  const call = () => idle.interceptor(next as never)({} as never) as Promise<unknown>
  return { idle, trim, call, logged }
}

test('memory is given back once after the last of some calls, and again after others', async () => {
  const { trim, call } = subject()
  for (let count = 0; count < 3; count++) {
    expect(await call()).toBe('answer')
    vi.advanceTimersByTime(900)
  }
  expect(trim).not.toHaveBeenCalled()
  vi.advanceTimersByTime(10_000)
  expect(trim).toHaveBeenCalledTimes(1)
  await call()
  vi.advanceTimersByTime(1000)
  expect(trim).toHaveBeenCalledTimes(2)
})

test('it is not while something is under way that needs it, but afterwards', async () => {
  let busy = true
  const { trim, call } = subject(undefined, () => busy)
  await call()
  vi.advanceTimersByTime(9500)
  expect(trim).not.toHaveBeenCalled()
  busy = false
  vi.advanceTimersByTime(10_000)
  expect(trim).toHaveBeenCalledTimes(1)
})

test('it is not after the end of the server, nor without a call', async () => {
  const { idle, trim, call } = subject()
  vi.advanceTimersByTime(10_000)
  await call()
  idle[Symbol.dispose]()
  vi.advanceTimersByTime(10_000)
  expect(trim).not.toHaveBeenCalled()
})

test('that it cannot be is logged', async () => {
  const failing = vi.fn(async () => {
    throw new NsboxError('unimplemented', 'giving memory back')
  })
  const { call, logged } = subject(failing as never)
  await call()
  vi.advanceTimersByTime(1000)
  vi.useRealTimers()
  await sleep(1)
  expect(logged).toMatchObject([{ msg: 'giving memory back' }])
})
