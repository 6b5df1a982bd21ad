import { setTimeout as delay } from 'node:timers/promises'
import type { AbortOptions } from '@nsbox/core/tasks'

/** Milliseconds, as in containerd (`io.containerd.timeout.task.state`). */
const patience = 2_000

/**
 * A start that may be under way. Meanwhile the program, or hooks before it, may run already; so the state is told
 * afterwards, as by containerd (docs/behaviour.md §14).
 */
export class StartUnderWay {
  #starting: Promise<unknown> | undefined

  get isUnderWay(): boolean {
    return this.#starting !== undefined
  }

  /** Resolves when it has succeeded or failed; at once if there is none. */
  get through(): Promise<unknown> {
    return this.#starting ?? Promise.resolve()
  }

  async run(start: () => Promise<void>): Promise<void> {
    const starting = start()
    const through = starting.catch(() => undefined)
    this.#starting = through
    await starting.finally(() => {
      if (this.#starting === through) this.#starting = undefined
    })
  }

  /** Waits for a while. @returns whether no start is under way */
  async settled({ signal }: AbortOptions): Promise<boolean> {
    signal?.throwIfAborted()
    if (this.#starting === undefined) return true
    const late = new AbortController()
    try {
      const left = AbortSignal.any([late.signal, ...(signal === undefined ? [] : [signal])])
      const timer = delay(patience, false, { signal: left })
      timer.catch(() => undefined)
      return await Promise.race([this.#starting.then(() => true), timer])
    } finally {
      late.abort()
    }
  }
}
