import { setImmediate as nextTurn } from 'node:timers/promises'
import { Coalescer } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'

/**
 * Group commit: all writers that wait while a sync runs share the next sync, so that the number of syncs is bounded by
 * the disk's speed and not by the number of writers.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>
  readonly #onFailure: (cause: unknown) => void
  // Writers of the same turn of the event loop get into a sync instead of having to wait for the next.
  readonly #syncs = new Coalescer(() => this.#run(), { gather: nextTurn })
  /** How many commits there were, how many of them the latest sync covers, and how many are on disk. */
  #committed = 0
  #syncing = 0
  #covered = 0
  #failure: NsboxError | undefined

  /**
   * @param sync syncs everything that was written before the call
   * @param onFailure called once, when `sync` has failed; from then on nothing resolves any more
   */
  constructor(sync: () => Promise<void>, onFailure: (cause: unknown) => void) {
    this.#sync = sync
    this.#onFailure = onFailure
  }

  /** Records a commit that no sync covers yet. */
  committed(): void {
    this.#committed++
  }

  /**
   * Resolves once everything committed before the call is on disk; at once if it is already.
   * @throws `data_loss` after a sync has failed
   */
  async durable(): Promise<void> {
    const target = this.#committed
    if (this.#failure === undefined && this.#covered < target)
      await (this.#syncing < target ? this.#syncs.run() : this.#syncs.latest)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Fails all that wait, now and later: the state of the disk is unknown. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = new NsboxError('data_loss', 'the database could not be synced to disk', { cause })
    this.#onFailure(cause)
  }

  async #run(): Promise<void> {
    if (this.#failure !== undefined) return
    this.#syncing = this.#committed
    try {
      await this.#sync()
      this.#covered = this.#syncing
    } catch (cause) {
      this.fail(cause)
    }
  }
}
