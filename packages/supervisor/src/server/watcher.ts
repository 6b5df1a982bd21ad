import {
  isReady,
  makeWatchSet,
  type Readiness,
  unwatch,
  waitForReady,
  watchOnce,
} from '@nsbox/sys/descriptors'

/** Waits for any number of descriptors in one thread of libuv's pool, which stays occupied. */
export class Watcher {
  readonly #set = makeWatchSet()
  readonly #added = new Set<number>()
  readonly #callbacks = new Map<number, Map<Readiness, () => void>>()

  /** Waits until the process ends; rejects on a system error. */
  async run(): Promise<never> {
    for (;;) {
      for (const fd of await waitForReady(this.#set)) {
        const callbacks = this.#callbacks.get(fd) ?? new Map()
        this.#callbacks.delete(fd)
        for (const callback of callbacks.values()) called(callback)
      }
    }
  }

  /**
   * Calls back once when a descriptor is ready; a second call before replaces the callback. May call back without
   * cause: for a reused number, or if the descriptor is watched for both directions and ready for one.
   * @returns false if the descriptor is of a kind that is always ready
   */
  once(fd: number, readiness: Readiness, callback: () => void): boolean {
    const callbacks = new Map(this.#callbacks.get(fd)).set(readiness, callback)
    if (!watchOnce(this.#set, fd, callbacks.keys(), this.#added.has(fd))) return false
    this.#added.add(fd)
    this.#callbacks.set(fd, callbacks)
    return true
  }

  /** Calls back once when the process of a pidfd has ended. */
  onceEnded(pidfd: number, callback: () => void): void {
    this.once(pidfd, 'read', () => {
      if (isReady(pidfd, 'read')) callback()
      else this.onceEnded(pidfd, callback)
    })
  }

  /** To be called before a descriptor is closed; ignores one that was not watched. */
  forget(fd: number): void {
    this.#callbacks.delete(fd)
    if (this.#added.delete(fd)) unwatch(this.#set, fd)
  }
}

/** A failure with one descriptor must not affect others. */
function called(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    console.error('what waited for a descriptor has failed:', error)
  }
}
