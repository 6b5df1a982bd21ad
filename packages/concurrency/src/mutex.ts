import type { AbortOptions } from './abort-options.ts'
import { Semaphore } from './semaphore.ts'

/** Lets one in at a time, in the order of asking. It is not reentrant. */
export class Mutex {
  readonly #semaphore = new Semaphore(1)

  /** Whether it is free. */
  get isIdle(): boolean {
    return this.#semaphore.isIdle
  }

  /**
   * Waits until all earlier callers are done; disposing of the result lets the next one in.
   * @throws the signal's reason if it aborts first; the waiter then leaves the queue
   */
  acquire(options: AbortOptions = {}): Promise<Disposable> {
    return this.#semaphore.acquire(options)
  }

  /** The mutex if it is free. */
  tryAcquire(): Disposable | undefined {
    return this.#semaphore.tryAcquire()
  }

  /**
   * Runs `body` once all earlier callers are done or have failed; within the call if there are none.
   * @throws what `body` throws; the signal's reason if it aborts before `body` has begun
   */
  async run<T>(body: () => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    using _lock = this.tryAcquire() ?? (await this.acquire({ signal }))
    return await body()
  }
}
