import { deferred } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'

interface Passage {
  readonly removes: boolean
  /** Absent for bytes whose digest is unknown before the commit: it may be any. */
  readonly digest: Digest | undefined
  readonly done: Promise<void>
}

/**
 * Prevents a blob from being removed from the backend while other code relies on it or stores it. Otherwise a blob
 * could be removed after it was found in the backend and before the database records its use.
 *
 * Only removals and uses of the same blob exclude each other, in the order in which they came, so that none waits for
 * ever.
 */
export class BlobGate {
  readonly #passages = new Set<Passage>()

  /** Runs `body` while the blob cannot be removed. Bodies do not nest. */
  use<T>(digest: Digest | undefined, body: () => Promise<T>): Promise<T> {
    return this.#pass(false, digest, body)
  }

  /** Runs `body` while the blob is not in use. */
  remove<T>(digest: Digest, body: () => Promise<T>): Promise<T> {
    return this.#pass(true, digest, body)
  }

  async #pass<T>(removes: boolean, digest: Digest | undefined, body: () => Promise<T>): Promise<T> {
    const before = [...this.#passages].filter(
      (other) =>
        other.removes !== removes &&
        (other.digest === undefined || digest === undefined || other.digest === digest),
    )
    const { promise: done, resolve: end } = deferred()
    const passage = { removes, digest, done }
    this.#passages.add(passage)
    try {
      await Promise.all(before.map((other) => other.done))
      return await body()
    } finally {
      this.#passages.delete(passage)
      end()
    }
  }
}
