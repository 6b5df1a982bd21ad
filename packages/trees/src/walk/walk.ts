/** A system call that may wait for a disk. The runner of the walk decides how to make it. */
export interface DiskCall {
  /** Makes it on this thread. @returns the result, or the negated errno */
  now(): number
  /** Makes it in libuv's pool. */
  inThread(): Promise<number>
}

/**
 * A walk through a tree as a generator of system calls. It yields each call and gets its result; `undefined` only lets
 * other work run. So the same walk can run on a thread, which may block, and on an event loop, which must not. A runner
 * that stops early calls `return`, which closes everything.
 */
export type Walk<T> = Generator<DiskCall | undefined, T, number>

/**
 * Ends a walk early. It gets the last result first, which may be a descriptor to close.
 * @returns its result, if that was its end
 */
export function endWalk<T>(walk: Walk<T>, result: number): IteratorReturnResult<T> | undefined {
  const step = walk.next(result)
  if (step.done === true) return step
  walk.return(undefined as never)
  return undefined
}

/** Runs a walk to its end on this thread. */
export function walkNow<T>(walk: Walk<T>): T {
  for (let result = 0; ; ) {
    const step = walk.next(result)
    if (step.done === true) return step.value
    result = step.value?.now() ?? 0
  }
}
