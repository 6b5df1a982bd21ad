import { type AbortOptions, abortable, type Deferred, deferred } from '@nsbox/concurrency'
import { NsboxError, shownName } from '@nsbox/errors'

/** A ref that somebody has, until it is disposed of, which may happen more than once. */
export interface IngestLock extends Disposable {
  /**
   * A writer has the ref from here on.
   * @param revoke ends the writer, so that its calls fail, and resolves once it has let go of the ref
   */
  hold(revoke: () => Promise<void>): void
  /** The writer is about to let go: who wants the ref waits for that. */
  leave(): void
}

interface Holder {
  readonly since: number
  /** Settled when the ref is free. */
  readonly released: Deferred<void>
  /** Settled with the way to end the writer, once there is one. */
  readonly held: Deferred<() => Promise<void>>
  leaving: boolean
}

/**
 * Which ingests have a writer, and since when: an ingest has one at a time, and nobody waits for it, except for one
 * that is closing anyway.
 */
export class IngestLocks {
  readonly #now: () => number
  readonly #holders = new Map<string, Holder>()

  /** @param now milliseconds since the epoch, by a clock that may be set back */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Takes a ref. If it is free that is so when this returns its promise.
   *
   * @param namespace whose ref it is, where refs are by namespace
   * @throws `unavailable` if it is taken, with the text that clients know (docs/behaviour.md §3)
   */
  async acquire(ref: string, { namespace, signal }: IngestLockOptions = {}): Promise<IngestLock> {
    const key = keyOf(ref, namespace)
    for (;;) {
      const holder = this.#holders.get(key)
      if (holder === undefined) return this.#take(key)
      if (!holder.leaving) throw this.#taken(ref, holder)
      await abortable(holder.released.promise, { signal })
    }
  }

  /** Takes a ref, and ends the writer that has it. */
  async takeOver(ref: string, { namespace, signal }: IngestLockOptions = {}): Promise<IngestLock> {
    const key = keyOf(ref, namespace)
    for (;;) {
      const holder = this.#holders.get(key)
      if (holder === undefined) return this.#take(key)
      const ended = holder.held.promise.then((revoke) => revoke())
      // Whoever has the ref may give it back without ever having had a writer.
      await abortable(Promise.race([ended, holder.released.promise]), { signal })
    }
  }

  /** Whether a ref is taken. */
  has(ref: string, namespace?: string): boolean {
    return this.#holders.has(keyOf(ref, namespace))
  }

  #take(key: string): IngestLock {
    const holder: Holder = {
      since: this.#now(),
      released: deferred(),
      held: deferred(),
      leaving: false,
    }
    this.#holders.set(key, holder)
    return {
      hold: holder.held.resolve,
      leave: () => {
        holder.leaving = true
      },
      [Symbol.dispose]: () => {
        if (this.#holders.get(key) === holder) this.#holders.delete(key)
        holder.released.resolve()
      },
    }
  }

  #taken(ref: string, { since }: Holder): NsboxError {
    const seconds = Math.round(Math.max(0, this.#now() - since)) / 1000
    return new NsboxError(
      'unavailable',
      `ref ${shownName(ref)} locked for ${seconds}s (since ${new Date(since).toISOString()})`,
    )
  }
}

/** Whose ref it is, where refs are by namespace; an abort ends the waiting. */
export interface IngestLockOptions extends AbortOptions {
  readonly namespace?: string | undefined
}

/** What the writer of an ingest is told that was discarded meanwhile. */
export function ingestDiscarded(ref: string): NsboxError {
  return new NsboxError('aborted', `ingest ref ${shownName(ref)} was discarded`)
}

/** Namespaces have no slash. */
const keyOf = (ref: string, namespace = '') => `${namespace}/${ref}`
