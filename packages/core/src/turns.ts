import { setImmediate as later } from 'node:timers/promises'

/** Milliseconds for which long work may hold the event loop before others get their turn. */
export const turnLength = 10

/** When the first piece of long work of the present turn of the event loop began; undefined if there was none yet. */
let began: number | undefined

/** Of those who wait for their next turn, the one that came last. */
let last: Promise<void> = Promise.resolve()

/**
 * Whether long work on the event loop, whose length somebody else's input decides, has to let others have their turn: all
 * such work together has held the loop for `turnLength`. Ask after each piece, which has to be much shorter than that;
 * then wait for `nextTurn`.
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
 * Resolves once everybody else has had a turn: one of those who wait goes on in each turn of the event loop, in the order
 * in which they came. So the number of those who have much to do makes each of them slower, and nobody else.
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

/**
 * Hands on what it gets, and lets others have their turn in between; what comes of the work of whoever takes it counts.
 */
export async function* inTurns<T>(items: Iterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  begin()
  for (const item of items) {
    yield item
    if (isTurnOver()) await nextTurn(signal)
  }
}

/**
 * Does work that is written in steps, such as `manifestSteps` of `@nsbox/oci`, and lets others have their turn in between.
 * @throws what the work throws
 */
export async function finishInTurns<T>(steps: Generator<unknown, T, void>, signal?: AbortSignal): Promise<T> {
  begin()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (isTurnOver()) await nextTurn(signal)
  }
}
