import { endWalk, type Walk } from './walk/walk.ts'

/** What came of a walk, or that it is too long for this. */
export type Walked<T> = { readonly value: T } | 'unfinished'

/**
 * Drives a walk by threads of libuv's pool, one call after another, which holds up no event loop and needs no thread of
 * its own; some calls make a walk `unfinished`.
 *
 * @param most how many calls are made
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
