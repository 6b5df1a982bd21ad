import { availableParallelism } from 'node:os'
import type { AbortOptions } from '@nsbox/core/content'

/**
 * A bound on how much happens at once: at most `count` holders, the others wait in order of arrival.
 */
export class Slots {
  #free: number
  readonly #waiting: Array<() => void> = []

  constructor(count: number) {
    this.#free = count
  }

  /**
   * Waits for a slot; disposing of the result gives it back.
   * @throws the signal's reason if it aborts first
   */
  async take({ signal }: AbortOptions = {}): Promise<Disposable> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    return this.#holder()
  }

  /** A slot if there is a free one. */
  tryTake(): Disposable | undefined {
    if (this.#free === 0) return undefined
    this.#free -= 1
    return this.#holder()
  }

  #holder(): Disposable {
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        const next = this.#waiting.shift()
        if (next === undefined) this.#free += 1
        else next()
      },
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(signal?.reason)
      }
      const go = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(go)
    })
  }
}

/** The followers of arriving layers that a machine has threads for, while there is one left for layers that are there. */
export function createFollowers(): Slots {
  return new Slots(Math.max(1, availableParallelism() - 1))
}
