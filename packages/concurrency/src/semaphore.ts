import type { AbortOptions } from './abort-options.ts'
import { deferred } from './deferred.ts'
import { onAbort } from './on-abort.ts'

/**
 * A bound on how many callers may do something at the same time. Without a free permit, callers wait, first come, first
 * served.
 */
export class Semaphore {
  readonly #permits: number
  readonly #waiting = new Set<(permit: Disposable) => void>()
  #free: number

  /** @param permits how many there are; with 0 everybody waits for ever */
  constructor(permits: number) {
    this.#permits = permits
    this.#free = permits
  }

  /** Whether no permit is held. */
  get isIdle(): boolean {
    return this.#free === this.#permits
  }

  /**
   * Waits for a permit, which is given back when the result is disposed of; to do so again has no effect.
   * @throws the signal's reason if it aborts first; the waiter then leaves the queue and takes no permit
   */
  acquire({ signal }: AbortOptions = {}): Promise<Disposable> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const free = this.tryAcquire()
    if (free !== undefined) return Promise.resolve(free)
    // Resolved by the grant itself: a caller who comes right after it, and finds a permit, goes on after this one.
    const { promise, resolve, reject } = deferred<Disposable>()
    const grant = (permit: Disposable) => {
      leaving[Symbol.dispose]()
      resolve(permit)
    }
    const leaving = onAbort(signal, () => {
      // A permit that was granted in the same moment is the caller's.
      if (this.#waiting.delete(grant)) reject(signal?.reason)
    })
    this.#waiting.add(grant)
    return promise
  }

  /** A permit if there is a free one. */
  tryAcquire(): Disposable | undefined {
    if (this.#free === 0) return undefined
    this.#free -= 1
    return this.#permit()
  }

  #permit(): Disposable {
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#release()
      },
    }
  }

  #release(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next(this.#permit())
  }
}
