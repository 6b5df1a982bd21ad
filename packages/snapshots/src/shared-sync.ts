import { setImmediate } from 'node:timers/promises'

/**
 * Runs one sync for all who ask while another is running. Two never run at the same time: the kernel tells of a
 * failure only once, and the one that is told must be the one that whoever is concerned waits for.
 */
export class SharedSync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** @param sync brings everything that was written before it to the disk */
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
    // Whoever waits for the earlier one hears of its failure.
    await earlier?.catch(() => undefined)
    // Whoever asks within the same turn joins.
    await setImmediate()
    this.#running = this.#next
    this.#next = undefined
    await this.#sync()
  }
}
