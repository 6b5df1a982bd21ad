import { type FSWatcher, watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { deferred, onAbort } from '@nsbox/concurrency'

/** Changes of an open file, told by the kernel (inotify(7)), so that nothing is polled. */
export class FileChanges implements Disposable {
  readonly #watcher: FSWatcher
  #hasChanged = false
  #wake: (() => void) | undefined

  constructor({ fd }: FileHandle) {
    // The link leads to the file that is open, whatever its name leads to by now.
    this.#watcher = watch(`/proc/self/fd/${fd}`, () => {
      this.#hasChanged = true
      this.#wake?.()
    })
    this.#watcher.on('error', () => this.#wake?.())
  }

  /** Waits for a change since the last one. @returns false if one of the signals has aborted first */
  async next(...signals: readonly (AbortSignal | undefined)[]): Promise<boolean> {
    if (!this.#hasChanged) {
      const { promise, resolve } = deferred<void>()
      this.#wake = resolve
      const listening = signals.map((signal) => onAbort(signal, resolve))
      await promise
      for (const each of listening) each[Symbol.dispose]()
      this.#wake = undefined
    }
    const changed = this.#hasChanged
    this.#hasChanged = false
    return changed
  }

  [Symbol.dispose](): void {
    this.#watcher.close()
  }
}
