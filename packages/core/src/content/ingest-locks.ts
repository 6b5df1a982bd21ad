import { NsboxError, shownName } from '@nsbox/errors'

/** Which ingests have a writer, and since when: an ingest has one at a time, and nobody waits for it. */
export class IngestLocks {
  readonly #now: () => number
  readonly #since = new Map<string, number>()

  /** @param now milliseconds since the epoch, by a clock that may be set back */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Takes a ref until what is returned is disposed of, which may happen more than once.
   *
   * @param namespace whose ref it is, where refs are by namespace
   * @throws `unavailable` if it is taken, with the text that clients know (docs/behaviour.md §3)
   */
  acquire(ref: string, namespace = ''): Disposable {
    const key = keyOf(ref, namespace)
    const now = this.#now()
    const since = this.#since.get(key)
    if (since !== undefined) {
      const seconds = Math.round(Math.max(0, now - since)) / 1000
      throw new NsboxError(
        'unavailable',
        `ref ${shownName(ref)} locked for ${seconds}s (since ${new Date(since).toISOString()})`,
      )
    }
    this.#since.set(key, now)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) this.#since.delete(key)
        held = false
      },
    }
  }

  /** Whether a ref is taken. */
  has(ref: string, namespace = ''): boolean {
    return this.#since.has(keyOf(ref, namespace))
  }
}

/** Namespaces have no slash. */
const keyOf = (ref: string, namespace: string) => `${namespace}/${ref}`
