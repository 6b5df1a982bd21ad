import type { AbortOptions } from './abort-options.ts'
import { onAbort } from './on-abort.ts'

/**
 * What a promise comes to, or the signal's reason if that aborts first. An abort ends the waiting only: whatever the
 * promise stands for goes on, and its own end, be it a failure, counts no more. Once this has settled nothing is left
 * on the signal.
 */
export function abortable<T>(promise: Promise<T>, { signal }: AbortOptions): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const listening = onAbort(signal, () => reject(signal.reason))
    promise.then(resolve, reject).finally(() => listening[Symbol.dispose]())
  })
}
