import { setTimeout as sleep } from 'node:timers/promises'
import { NsboxError } from '@nsbox/errors'
import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idleMemory } from './idle-memory.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function subject(trim = vi.fn(async () => undefined), isBusy = () => false) {
  const collect = vi.fn(async () => undefined)
  const logged: { msg: string }[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
  const idle = idleMemory({ collect, trim, isBusy, log })
  const next = vi.fn(async () => 'answer')
  const call = () => idle.interceptor(next as never)({} as never) as Promise<unknown>
  return { idle, collect, trim, call, logged }
}

test('memory is given back once after the last of some calls, and again after others', async () => {
  const { trim, call } = subject()
  for (let count = 0; count < 3; count++) {
    expect(await call()).toBe('answer')
    await vi.advanceTimersByTimeAsync(900)
  }
  expect(trim).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(trim).toHaveBeenCalledTimes(1)
  await call()
  await vi.advanceTimersByTimeAsync(1000)
  expect(trim).toHaveBeenCalledTimes(2)
})

test('E07 what is not used any more is found before, also after a connection without a call', async () => {
  const { idle, collect, trim } = subject()
  idle.touch()
  await vi.advanceTimersByTimeAsync(1000)
  expect(collect.mock.invocationCallOrder[0]).toBeLessThan(trim.mock.invocationCallOrder[0]!)
})

test('it is not while something is under way that needs it, but afterwards', async () => {
  let busy = true
  const { trim, call } = subject(undefined, () => busy)
  await call()
  await vi.advanceTimersByTimeAsync(9500)
  expect(trim).not.toHaveBeenCalled()
  busy = false
  await vi.advanceTimersByTimeAsync(10_000)
  expect(trim).toHaveBeenCalledTimes(1)
})

test('it is not after the end of the server, nor without a call', async () => {
  const { idle, trim, call } = subject()
  await vi.advanceTimersByTimeAsync(10_000)
  await call()
  idle[Symbol.dispose]()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(trim).not.toHaveBeenCalled()
})

test('that it cannot be is logged', async () => {
  const failing = vi.fn(async () => {
    throw new NsboxError('unimplemented', 'giving memory back')
  })
  const { call, logged } = subject(failing as never)
  await call()
  await vi.advanceTimersByTimeAsync(1000)
  vi.useRealTimers()
  await sleep(1)
  expect(logged).toMatchObject([{ msg: 'giving memory back' }])
})
