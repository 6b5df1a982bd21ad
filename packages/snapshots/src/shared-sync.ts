import { setImmediate } from 'node:timers/promises'

/**
 * Runs one sync for all callers that ask while another is running. Two never run at the same time: the kernel reports a
 * failure only once, and it must be reported to those whom it concerns.
 */
export class SharedSync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** @param sync syncs everything that was written before the call */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /**
   * Resolves once everything written before the call is on the disk.
   * @throws what the sync throws
   */
  run(): Promise<void> {
    this.#next ??= this.#after(this.#running)
    return this.#next
  }

  async #after(earlier: Promise<void> | undefined): Promise<void> {
    // A failure is reported to those who wait for that sync.
    await earlier?.catch(() => undefined)
    // Calls in the same turn of the event loop share a sync.
    await setImmediate()
    this.#running = this.#next
    this.#next = undefined
    await this.#sync()
  }
}
