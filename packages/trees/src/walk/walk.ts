/** A system call that may wait for a disk. A walk leaves it to whoever drives the walk how it is made. */
export interface DiskCall {
  /** Makes it on this thread. @returns what the call returned, or the negated errno */
  now(): number
  /** Has a thread of libuv's pool make it. */
  inThread(): Promise<number>
}

/**
 * A walk through a tree as a sequence of steps. It yields each call and is given what the call returned; where it yields
 * undefined it only offers others a turn. So one walk serves a thread that may wait, and an event loop, which may not.
 * Whoever does not drive it to its end calls `return`, which closes what is open.
 */
export type Walk<T> = Generator<DiskCall | undefined, T, number>

/**
 * Ends a walk before its end. It takes the last result first: that may be a descriptor, which it then closes.
 * @returns what it returned, if that was its end
 */
export function endWalk<T>(walk: Walk<T>, result: number): IteratorReturnResult<T> | undefined {
  const step = walk.next(result)
  if (step.done === true) return step
  walk.return(undefined as never)
  return undefined
}

/** Drives a walk to its end on this thread. */
export function walkNow<T>(walk: Walk<T>): T {
  for (let result = 0; ; ) {
    const step = walk.next(result)
    if (step.done === true) return step.value
    result = step.value?.now() ?? 0
  }
}
