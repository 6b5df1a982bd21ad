/**
 * Work in small steps, so that it does not block the event loop: a generator that yields after about each millisecond
 * and returns the result.
 */
export type Steps<T> = Generator<void, T, void>

/** Does all of the work without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
