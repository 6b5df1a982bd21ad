import type { Durability } from '@nsbox/core/content'
import { syncDirectory } from './durability.ts'

/**
 * Brings the names in a directory to the disk, once for all who ask while an earlier sync is under way: each of them has
 * to wait for the disk anyway.
 */
export class DirectorySync {
  readonly #path: string
  readonly #durability: Durability
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(path: string, durability: Durability) {
    this.#path = path
    this.#durability = durability
  }

  /** Resolves once everything that was created, renamed or removed before the call is on the disk. */
  run(): Promise<void> {
    this.#next ??= this.#after(this.#running)
    return this.#next
  }

  async #after(earlier: Promise<void> | undefined): Promise<void> {
    // Whoever waits for the earlier one hears of its failure.
    await earlier?.catch(() => undefined)
    this.#running = this.#next
    this.#next = undefined
    await syncDirectory(this.#path, this.#durability)
  }
}
