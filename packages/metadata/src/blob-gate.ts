import { deferred } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'

interface Passage {
  readonly removes: boolean
  /** Absent for bytes whose digest is not known before they are committed: it may be any. */
  readonly digest: Digest | undefined
  readonly done: Promise<void>
}

/**
 * Keeps the removal of a blob from the backend apart from everything that relies on the blob being there or puts it
 * there. Without it a blob could be removed between the moment when someone finds that the backend has it and the
 * moment when the database says that it is used.
 *
 * Passages that have nothing to do with each other do not wait for each other; those that have, pass in the order in
 * which they came, so that none waits for ever.
 */
export class BlobGate {
  readonly #passages = new Set<Passage>()

  /** Runs `body` while the blob cannot be removed. Bodies do not nest. */
  use<T>(digest: Digest | undefined, body: () => Promise<T>): Promise<T> {
    return this.#pass(false, digest, body)
  }

  /** Runs `body` while nobody relies on the blob. */
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
