import { endWalk, type Walk } from './walk/walk.ts'

/** The result of a walk, or that it takes too many calls. */
export type Walked<T> = { readonly value: T } | 'unfinished'

/**
 * Runs a walk in libuv's pool, one call after another. It does not block the event loop and needs no thread of its own.
 * After `most` calls the walk is given up as `unfinished`.
 */
export async function walkInPool<T>(
  walk: Walk<T>,
  most: number,
  signal: AbortSignal | undefined,
): Promise<Walked<T>> {
  let result = 0
  for (let calls = 0; calls < most; calls++) {
    const step = walk.next(result)
    if (step.done === true) return { value: step.value }
    result = (await step.value?.inThread()) ?? 0
    if (signal?.aborted) break
  }
  const ended = endWalk(walk, result)
  if (ended !== undefined) return { value: ended.value }
  signal?.throwIfAborted()
  return 'unfinished'
}
