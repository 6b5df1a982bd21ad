/**
 * Does something for each item, for so many at a time. After a failure nothing more is begun, what is under way is
 * aborted, and once all of it has settled the first error is thrown.
 *
 * @param body is given a signal that aborts after a failure, and with `signal`
 * @returns the results, in the order of the items
 */
export async function atOnce<T, R>(
  items: readonly T[],
  limit: number,
  body: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const failure = new AbortController()
  const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal
  const results: R[] = []
  const waiting = items.entries()
  const work = async () => {
    for (const [index, item] of waiting) {
      if (stop.aborted) return
      try {
        results[index] = await body(item, stop)
      } catch (error) {
        failure.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  if (failure.signal.aborted) throw failure.signal.reason
  signal?.throwIfAborted()
  return results
}
