import type { AbortOptions } from './abort-options.ts'
import { onAbort } from './on-abort.ts'

/**
 * The result of a promise, or a rejection with the signal's reason if that aborts first. An abort ends the waiting
 * only: the work behind the promise goes on, and its result or failure is ignored. Once this has settled, no listener
 * is left on the signal.
 */
export function abortable<T>(promise: Promise<T>, { signal }: AbortOptions): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const listening = onAbort(signal, () => reject(signal.reason))
    promise.then(resolve, reject).finally(() => listening[Symbol.dispose]())
  })
}
