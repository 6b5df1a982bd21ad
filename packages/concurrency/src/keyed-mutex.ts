import type { AbortOptions } from './abort-options.ts'
import { Mutex } from './mutex.ts'

/** A mutex for each key, independent of the others. A mutex that is not in use takes no memory. */
export class KeyedMutex<Key = string> {
  readonly #mutexes = new Map<Key, Mutex>()

  /** Whether the mutex of this key is held. */
  isHeld(key: Key): boolean {
    return this.#mutexes.has(key)
  }

  /** As `Mutex.acquire`. */
  async acquire(key: Key, options: AbortOptions = {}): Promise<Disposable> {
    options.signal?.throwIfAborted()
    const mutex = this.#of(key)
    return this.#lock(key, mutex, await mutex.acquire(options))
  }

  /** As `Mutex.tryAcquire`. */
  tryAcquire(key: Key): Disposable | undefined {
    if (this.isHeld(key)) return undefined
    const mutex = this.#of(key)
    return this.#lock(key, mutex, mutex.tryAcquire()!)
  }

  /** As `Mutex.run`. */
  async run<T>(key: Key, body: () => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    using _lock = this.tryAcquire(key) ?? (await this.acquire(key, { signal }))
    return await body()
  }

  #of(key: Key): Mutex {
    const mutex = this.#mutexes.get(key) ?? new Mutex()
    this.#mutexes.set(key, mutex)
    return mutex
  }

  #lock(key: Key, mutex: Mutex, lock: Disposable): Disposable {
    return {
      [Symbol.dispose]: () => {
        lock[Symbol.dispose]()
        if (mutex.isIdle && this.#mutexes.get(key) === mutex) this.#mutexes.delete(key)
      },
    }
  }
}
