import { setImmediate } from 'node:timers/promises'
import { NsboxError } from '@nsbox/errors'

/**
 * Group commit: all who wait while a sync runs share the next one, so that the number of syncs is bounded by the disk's
 * speed and not by the number of writers.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>
  readonly #onFailure: (cause: unknown) => void
  #committed = 0
  #covered = 0
  #running: Promise<void> | undefined
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
    while (this.#covered < target || this.#failure !== undefined) {
      if (this.#failure !== undefined) throw this.#failure
      this.#running ??= this.#run()
      await this.#running
    }
  }

  /** Gives up: the state of the disk is unknown. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = new NsboxError('data_loss', 'the database could not be synced to disk', { cause })
    this.#onFailure(cause)
  }

  async #run(): Promise<void> {
    try {
      // Writers in the same turn of the event loop share this sync instead of waiting for the next one.
      await setImmediate()
      const covers = this.#committed
      await this.#sync()
      this.#covered = covers
    } catch (cause) {
      this.fail(cause)
    } finally {
      this.#running = undefined
    }
  }
}
