import { setMaxListeners } from 'node:events'
import type { AbortOptions } from '@nsbox/core/content'

/**
 * Does something for every item at once. The first failure aborts the others, and is thrown once all of them have
 * ended, so that nothing goes on behind the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T, signal: AbortSignal) => Promise<void>,
  { signal }: AbortOptions = {},
): Promise<void> {
  const failed = new AbortController()
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  // As many listeners as items is what is meant here, not a leak.
  setMaxListeners(0, either)
  let failure: { error: unknown } | undefined
  await Promise.all(
    items.map(async (item) => {
      try {
        await work(item, either)
      } catch (error) {
        failure ??= { error }
        failed.abort(error)
      }
    }),
  )
  if (failure !== undefined) throw failure.error
}
