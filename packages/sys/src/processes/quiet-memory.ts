/** How to free memory, and when not to. */
export interface QuietMemoryOptions {
  /** Milliseconds without activity after which it is freed. */
  readonly quietTime: number
  /** Collects garbage. */
  readonly collect: () => Promise<void>
  /** Returns free memory to the system. */
  readonly trim: () => Promise<void>
  /** Whether the memory would be needed again at once, or more will be free soon; then it is freed later. */
  readonly isBusy?: () => boolean
  readonly onError: (error: unknown) => void
}

/**
 * Frees the memory of an idle process once after each time that it was active. Otherwise V8 keeps garbage, since it
 * looks for some only when memory is needed, and the C library keeps what was freed.
 */
export class QuietMemory implements Disposable {
  readonly #options: QuietMemoryOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: QuietMemoryOptions) {
    this.#options = options
  }

  /** Reports activity. */
  touch(): void {
    if (this.#timer === undefined)
      this.#timer = setTimeout(() => this.#onQuiet(), this.#options.quietTime).unref()
    else this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #onQuiet(): void {
    const { isBusy, onError } = this.#options
    if (isBusy?.()) this.#timer?.refresh()
    else this.#free().catch(onError)
  }

  async #free(): Promise<void> {
    await this.#options.collect()
    await this.#options.trim()
  }
}
