import { type AbortOptions, abortable, type Deferred, deferred } from '@nsbox/concurrency'
import { NsboxError, shownName } from '@nsbox/errors'

/** A ref that is taken, until this is disposed of; idempotent. */
export interface IngestLock extends Disposable {
  /**
   * Says that a writer has the ref from here on.
   * @param revoke ends the writer, so that its calls fail, and resolves once it has released the ref
   */
  hold(revoke: () => Promise<void>): void
  /** Says that the writer is about to release the ref: callers that want it wait for that. */
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
 * Which ingests have a writer, and since when. An ingest has one at a time. Nobody waits for it unless it is closing.
 */
export class IngestLocks {
  readonly #now: () => number
  readonly #holders = new Map<string, Holder>()

  /** @param now milliseconds since the epoch, by a clock that may be set back */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Takes a ref. A free ref is taken before this returns its promise.
   *
   * @param namespace of the ref, where refs belong to namespaces
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
      // A ref may be released before a writer ever had it.
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

/** The namespace of the ref, where refs belong to namespaces; an abort ends the waiting. */
export interface IngestLockOptions extends AbortOptions {
  readonly namespace?: string | undefined
}

/** The error for the writer of an ingest that was discarded. */
export function ingestDiscarded(ref: string): NsboxError {
  return new NsboxError('aborted', `ingest ref ${shownName(ref)} was discarded`)
}

/** Namespaces have no slash. */
const keyOf = (ref: string, namespace = '') => `${namespace}/${ref}`
