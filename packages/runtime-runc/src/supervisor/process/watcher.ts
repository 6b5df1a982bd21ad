import {
  isReady,
  makeWatchSet,
  type Readiness,
  unwatch,
  waitForReady,
  watchOnce,
} from '@nsbox/sys/descriptors'

/** Waits for any number of descriptors in one thread of libuv's pool, which it occupies as long as the process runs. */
export class Watcher {
  readonly #set = makeWatchSet()
  readonly #added = new Set<number>()
  readonly #callbacks = new Map<number, () => void>()

  /** Waits for ever; rejects if the system refuses to. */
  async run(): Promise<never> {
    for (;;) {
      for (const fd of await waitForReady(this.#set)) {
        const callback = this.#callbacks.get(fd)
        this.#callbacks.delete(fd)
        callback?.()
      }
    }
  }

  /**
   * Calls back once when a descriptor is ready; asked again before, it forgets the earlier callback. It may call back
   * for nothing, if the number was another descriptor's a moment ago.
   * @returns false if the descriptor is one that is always ready
   */
  once(fd: number, readiness: Readiness, callback: () => void): boolean {
    if (!watchOnce(this.#set, fd, readiness, this.#added.has(fd))) return false
    this.#added.add(fd)
    this.#callbacks.set(fd, callback)
    return true
  }

  /** Calls back once when the process that a pidfd stands for has ended. */
  onceEnded(pidfd: number, callback: () => void): void {
    this.once(pidfd, 'read', () => {
      if (isReady(pidfd, 'read')) callback()
      else this.onceEnded(pidfd, callback)
    })
  }

  /** To be called before a descriptor is closed; one that was never watched is left alone. */
  forget(fd: number): void {
    this.#callbacks.delete(fd)
    if (this.#added.delete(fd)) unwatch(this.#set, fd)
  }
}
