import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbortOptions } from './abort-options.ts'

/** Milliseconds for which long work may hold the event loop before it yields. */
export const timeSlice = 10

/** When the first long computation of the present turn of the event loop began; undefined if none has begun yet. */
let began: number | undefined

/** The most recent yield; the next one waits for it. */
let last: Promise<void> = Promise.resolve()

/**
 * Whether work on the event loop whose length depends on input has to yield: all such work together has held the loop
 * for a time slice. Call it after each piece, which must be much shorter than a slice; then await `yieldToEventLoop`.
 */
export function shouldYield(): boolean {
  return performance.now() - begin() >= timeSlice
}

function begin(): number {
  if (began === undefined) {
    began = performance.now()
    setImmediate(() => {
      began = undefined
    })
  }
  return began
}

/**
 * Resolves once other work has run: one of the callers that have yielded goes on in each turn of the event loop, in
 * order of arrival. So long work slows other long work only.
 *
 * @throws the signal's reason, if it is aborted by then
 */
export async function yieldToEventLoop({ signal }: AbortOptions = {}): Promise<void> {
  const turn = last.then(() => nextTurn())
  last = turn
  await turn
  signal?.throwIfAborted()
  begin()
}

/**
 * Passes the items on, and yields in between where that is due; the consumer's work on each item counts too.
 * @throws the signal's reason, if it is aborted when it would go on
 */
export async function* yieldBetween<T>(items: Iterable<T>, options: AbortOptions = {}): AsyncGenerator<T> {
  begin()
  for (const item of items) {
    yield item
    if (shouldYield()) await yieldToEventLoop(options)
  }
}

/**
 * Does work that is written in steps, such as `manifestSteps` of `@nsbox/oci`, and yields in between where that is due.
 * @throws what the work throws; the signal's reason, if it is aborted when it would go on
 */
export async function runYielding<T>(
  steps: Generator<unknown, T, void>,
  options: AbortOptions = {},
): Promise<T> {
  begin()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (shouldYield()) await yieldToEventLoop(options)
  }
}
