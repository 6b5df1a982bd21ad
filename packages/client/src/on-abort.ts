import { setMaxListeners } from 'node:events'

/**
 * Calls `listener` once when the signal is aborted, at once if it is already; disposing of the result takes it off the
 * signal, which may live for very long.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): Disposable {
  if (signal?.aborted) listener()
  // One signal may govern any number of calls; Node would print a warning at the eleventh.
  if (signal) setMaxListeners(0, signal)
  signal?.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', listener) }
}
