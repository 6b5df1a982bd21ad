/**
 * Work in small steps, for whoever must not be held up by all of it at once: it may be left for a while wherever it
 * yields, and returns its result. Each step takes about a millisecond.
 */
export type Steps<T> = Generator<void, T, void>

/** Does all of the work at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
