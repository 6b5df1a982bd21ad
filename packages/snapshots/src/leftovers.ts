export interface LeftoversOptions {
  /** Removes the directory of a snapshot; succeeds if it does not exist. */
  readonly discard: (id: number) => Promise<void>
  /** Called after each failure. */
  readonly onLeftover: (error: unknown) => void
  /** Milliseconds until the next try; a minute by default. */
  readonly delay?: number
}

/**
 * Directories of snapshots that could not be removed, because a process still writes to them or something is mounted
 * there. Removal is tried again until it succeeds.
 */
export class Leftovers implements Disposable {
  readonly #options: LeftoversOptions
  readonly #ids = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(options: LeftoversOptions) {
    this.#options = options
  }

  /** Removes a directory, now or later. */
  async discard(id: number): Promise<void> {
    const { discard, onLeftover, delay = 60_000 } = this.#options
    try {
      await discard(id)
      this.#ids.delete(id)
    } catch (error) {
      onLeftover(error)
      if (this.#ended) return
      this.#ids.add(id)
      this.#timer ??= setTimeout(() => void this.#again(), delay).unref()
    }
  }

  /** Stops the attempts. */
  [Symbol.dispose](): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  async #again(): Promise<void> {
    this.#timer = undefined
    for (const id of [...this.#ids]) if (!this.#ended) await this.discard(id)
  }
}
