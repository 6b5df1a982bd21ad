import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { onAbort } from './on-abort.ts'

test('calls once when the signal aborts, at once where it is aborted already, and never without a signal', () => {
  const listener = vi.fn()
  const controller = new AbortController()
  onAbort(controller.signal, listener)
  expect(listener).toHaveBeenCalledTimes(0)
  controller.abort()
  controller.abort()
  expect(listener).toHaveBeenCalledTimes(1)
  onAbort(controller.signal, listener)
  expect(listener).toHaveBeenCalledTimes(2)
  using _never = onAbort(undefined, listener)
  expect(listener).toHaveBeenCalledTimes(2)
})

test('leaves nothing on the signal once it is disposed of, and does not call any more', () => {
  const listener = vi.fn()
  const controller = new AbortController()
  const listening = onAbort(controller.signal, listener)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  listening[Symbol.dispose]()
  listening[Symbol.dispose]()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  controller.abort()
  expect(listener).not.toHaveBeenCalled()
})

test('any number of listeners on one signal is no warning', async () => {
  const warned = vi.fn()
  process.on('warning', warned)
  try {
    const { signal } = new AbortController()
    for (let count = 0; count < 20; count++) onAbort(signal, () => {})
    await new Promise((resolve) => setImmediate(resolve))
    expect(warned).not.toHaveBeenCalled()
  } finally {
    process.off('warning', warned)
  }
})
