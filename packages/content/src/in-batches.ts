import type { AbortOptions } from '@nsbox/core/content'

/** How many things are looked at together: few enough for any limit on open files. */
const batchSize = 16

/** What `body` makes of each item, in the order of the items; at most a batch is in work at a time. */
export async function* inBatches<T, R>(
  items: readonly T[],
  body: (item: T) => Promise<R>,
  { signal }: AbortOptions,
): AsyncGenerator<R> {
  for (let start = 0; start < items.length; start += batchSize) {
    signal?.throwIfAborted()
    yield* await Promise.all(items.slice(start, start + batchSize).map(body))
  }
}
