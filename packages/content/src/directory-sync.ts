import { type Durability, syncDirectory } from './durability.ts'

/** Syncs a directory. All callers that ask while a sync is running share the next one. */
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
    // A failure is reported to those who wait for that sync.
    await earlier?.catch(() => undefined)
    this.#running = this.#next
    this.#next = undefined
    await syncDirectory(this.#path, this.#durability)
  }
}
