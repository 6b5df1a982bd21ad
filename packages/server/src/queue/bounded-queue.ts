/** Limits of a queue. */
export interface QueueLimits {
  readonly items: number
  readonly bytes: number
}

/**
 * A queue between a producer that never waits and a consumer that does, bounded in items and in bytes. Consumed by
 * iteration; `close` ends it after what is queued, `fail` at once.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #limits: QueueLimits
  readonly #bytesOf: (item: T) => number
  readonly #onGone: (item: T) => void
  #items: T[] = []
  /** Number of leading items that have been taken. */
  #taken = 0
  #bytes = 0
  #end: { error?: unknown } | undefined
  #wake: (() => void) | undefined

  /** @param onGone called with each item that was taken or dropped */
  constructor(limits: QueueLimits, bytesOf: (item: T) => number, onGone: (item: T) => void = () => {}) {
    this.#limits = limits
    this.#bytesOf = bytesOf
    this.#onGone = onGone
  }

  /** How many items wait. */
  get size(): number {
    return this.#items.length - this.#taken
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds an item; false if there is no room or the queue has ended. An empty queue takes an item of any size. */
  push(item: T): boolean {
    const bytes = this.#bytesOf(item)
    const { items: maxItems, bytes: maxBytes } = this.#limits
    if (this.#end !== undefined || this.size >= maxItems) return false
    if (this.size > 0 && this.#bytes + bytes > maxBytes) return false
    this.#items.push(item)
    this.#bytes += bytes
    this.#wake?.()
    return true
  }

  /** Ends the iteration once everything queued has been taken. */
  close(): void {
    this.#end ??= {}
    this.#wake?.()
  }

  /** Ends the iteration with an error at once; what is queued is dropped. */
  fail(error: unknown): void {
    if (this.#end !== undefined) return
    this.drop()
    this.#end = { error }
    this.#wake?.()
  }

  /** Drops what is queued. */
  drop(): void {
    const dropped = this.#items.slice(this.#taken)
    this.#clear()
    for (const item of dropped) this.#onGone(item)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      while (this.size > 0) yield this.#take()
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  #take(): T {
    const item = this.#items[this.#taken++] as T
    this.#bytes -= this.#bytesOf(item)
    // Removing the first item of a long array would move all others each time.
    if (this.#taken === this.#items.length) this.#clear()
    else if (this.#taken >= 1024) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    this.#onGone(item)
    return item
  }

  #clear(): void {
    this.#items = []
    this.#taken = 0
    this.#bytes = 0
  }
}
