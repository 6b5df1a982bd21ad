import { NsboxError, shownName } from '@nsbox/errors'
import type { Clock } from './clock.ts'

/** Which ingests have a writer, and since when. */
export class WriterLocks {
  readonly #clock: Clock
  readonly #held = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Takes a ref until what is returned is disposed of.
   * @throws `unavailable` if it is taken, with the text that clients know (BEHAVIOUR.md §3)
   */
  acquire(namespace: string, ref: string): Disposable {
    const key = keyOf(namespace, ref)
    const now = this.#clock()
    const since = this.#held.get(key)
    if (since !== undefined) {
      throw new NsboxError(
        'unavailable',
        `ref ${shownName(ref)} locked for ${Math.max(0, now - since) / 1000}s (since ${new Date(since).toISOString()})`,
      )
    }
    this.#held.set(key, now)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) this.#held.delete(key)
        held = false
      },
    }
  }

  has(namespace: string, ref: string): boolean {
    return this.#held.has(keyOf(namespace, ref))
  }
}

/** Namespaces have no slash. */
const keyOf = (namespace: string, ref: string) => `${namespace}/${ref}`
