import { setMaxListeners } from 'node:events'

/**
 * Calls `listener` once when the signal aborts, at once if it is aborted already; disposing of the result takes it off
 * the signal, which may live for very long. Without a signal nothing happens.
 *
 * One signal may govern any number of waits, so Node's warning of the eleventh listener is switched off for it; that is
 * why this is used instead of `addAbortListener` of `node:events`.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): Disposable {
  if (signal === undefined) return nothing
  if (signal.aborted) {
    listener()
    return nothing
  }
  setMaxListeners(0, signal)
  signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) }
}

const nothing: Disposable = { [Symbol.dispose]: () => {} }
