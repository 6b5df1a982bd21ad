import { setImmediate as later } from 'node:timers/promises'

/** Milliseconds for which long work may block the event loop before others get a turn. */
export const turnLength = 10

/** When long work began in the current turn of the event loop; undefined if there was none yet. */
let began: number | undefined

/** The last one of the queue of those that wait for their next turn. */
let last: Promise<void> = Promise.resolve()

/**
 * Whether long work, whose length depends on input, has to yield: all such work together has blocked the event loop for
 * `turnLength`. Ask after each piece, which has to be much shorter than that, and then await `nextTurn`.
 */
export function isTurnOver(): boolean {
  return performance.now() - begin() >= turnLength
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
 * Resolves once all others have had a turn. In each turn of the event loop one waiter continues, first come, first
 * served. So long jobs slow each other down, and nothing else.
 *
 * @throws the signal's reason, if it is aborted by then
 */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  const turn = last.then(() => later())
  last = turn
  await turn
  signal?.throwIfAborted()
  begin()
}

/** Passes items on, and lets others have a turn in between; the consumer's work counts, too. */
export async function* inTurns<T>(items: Iterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  begin()
  for (const item of items) {
    yield item
    if (isTurnOver()) await nextTurn(signal)
  }
}

/**
 * Runs work that is written in steps, such as `manifestSteps` of `@nsbox/oci`, and lets others have a turn in between.
 * @throws the errors of the work
 */
export async function finishInTurns<T>(steps: Generator<unknown, T, void>, signal?: AbortSignal): Promise<T> {
  begin()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (isTurnOver()) await nextTurn(signal)
  }
}
