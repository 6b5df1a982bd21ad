import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Mutex } from './mutex.ts'

test('runs one after the other in the order of asking, the first within the call', async () => {
  const mutex = new Mutex()
  const log: string[] = []
  const run = (name: string) =>
    mutex.run(async () => {
      log.push(`+${name}`)
      await nextTurn()
      log.push(`-${name}`)
      return name
    })
  const all = Promise.all([run('1'), run('2'), run('3')])
  expect(log).toEqual(['+1'])
  expect(await all).toEqual(['1', '2', '3'])
  expect(log).toEqual(['+1', '-1', '+2', '-2', '+3', '-3'])
  expect(mutex.isIdle).toBe(true)
})

test('goes on after a failure, of which its caller is told', async () => {
  const mutex = new Mutex()
  const failing = mutex.run(() => Promise.reject(new Error('no')))
  const next = mutex.run(async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

test('an aborted waiter does nothing, and holds nobody up', async () => {
  const mutex = new Mutex()
  const lock = await mutex.acquire()
  const gaveUp = new AbortController()
  const reason = new Error('enough')
  const never = mutex.run(() => Promise.reject(new Error('begun')), gaveUp)
  const next = mutex.run(async () => 'next')
  gaveUp.abort(reason)
  await expect(never).rejects.toBe(reason)
  expect(mutex.tryAcquire()).toBeUndefined()
  lock[Symbol.dispose]()
  expect(await next).toBe('next')
  await expect(mutex.run(async () => 'begun', gaveUp)).rejects.toBe(reason)
  using free = mutex.tryAcquire()
  expect(free).toBeDefined()
})
