import { setMaxListeners } from 'node:events'
import type { AbortOptions } from './abort-options.ts'

/** How a map goes on. */
export interface MapOptions extends AbortOptions {
  /** How many items may be in work at once; all of them by default. */
  readonly concurrency?: number | undefined
}

/**
 * Calls a function for each item, several at a time, and begins in the order of the items. After the first failure, or
 * an abort, no further call is begun and those under way are aborted. It settles once all calls have ended, so that
 * nothing still runs when the caller goes on.
 *
 * @param body is given a signal that aborts after a failure, and with `signal`
 * @returns the results, in the order of the items
 * @throws the first failure; else the signal's reason if it has aborted
 */
export async function mapConcurrently<T, R>(
  items: Iterable<T>,
  body: (item: T, signal: AbortSignal) => Promise<R>,
  { concurrency = Number.POSITIVE_INFINITY, signal }: MapOptions = {},
): Promise<R[]> {
  const list = [...items]
  const failed = new AbortController()
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  // As many listeners as items is what is meant here, not a leak.
  setMaxListeners(0, either)
  let failure: { readonly error: unknown } | undefined
  const results: R[] = []
  const remaining = list.entries()
  const work = async () => {
    for (const [index, item] of remaining) {
      if (either.aborted) return
      try {
        results[index] = await body(item, either)
      } catch (error) {
        failure ??= { error }
        failed.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work))
  if (failure !== undefined) throw failure.error
  signal?.throwIfAborted()
  return results
}
