export interface LeftoversOptions {
  /** Removes the directory of a snapshot; succeeds if it does not exist. */
  readonly discard: (id: number) => Promise<void>
  /** Told each time that it has failed. */
  readonly onLeftover: (error: unknown) => void
  /** Milliseconds until it is tried again; a minute by default. */
  readonly delay?: number
}

/**
 * Directories of snapshots that could not be removed, because somebody still writes to them or has mounted something there.
 * It is tried again after a while, as often as it takes.
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

  /** Nothing is tried again from now on. */
  [Symbol.dispose](): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  async #again(): Promise<void> {
    this.#timer = undefined
    for (const id of [...this.#ids]) if (!this.#ended) await this.discard(id)
  }
}
