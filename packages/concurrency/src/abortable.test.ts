import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { abortable } from './abortable.ts'
import { deferred } from './deferred.ts'

test('comes to what the promise comes to, and leaves nothing on the signal', async () => {
  const { signal } = new AbortController()
  expect(await abortable(Promise.resolve(1), { signal })).toBe(1)
  await expect(abortable(Promise.reject(new Error('no')), { signal })).rejects.toThrow('no')
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(await abortable(Promise.resolve(2), {})).toBe(2)
})

test('rejects with the reason of an abort that comes first, and the later end counts no more', async () => {
  const controller = new AbortController()
  const slow = deferred()
  const waiting = abortable(slow.promise, controller)
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  slow.reject(new Error('nobody hears this'))
  await expect(slow.promise).rejects.toThrow()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
})

test('rejects with the reason where the signal was aborted before, whatever the promise has come to', async () => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  await expect(abortable(Promise.resolve(1), { signal })).rejects.toBe(reason)
  await expect(abortable(Promise.reject(new Error('no')), { signal })).rejects.toBe(reason)
})
