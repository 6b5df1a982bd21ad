import type { AbortOptions } from '@nsbox/core/content'

/** How many items are worked on at once: few enough for any limit on open files. */
const batchSize = 16

/** The results of `body` for each item, in order. At most one batch is worked on at a time. */
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
