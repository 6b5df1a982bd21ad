/**
 * A queue between one producer that does not wait and one consumer that does, of at most `limit` items.
 * Consumed by iteration; `close` ends it after what is queued, `fail` at once.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #limit: number
  #items: T[] = []
  #end: { error?: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many items wait. */
  get size(): number {
    return this.#items.length
  }

  /** Adds an item; false if there is no room or the queue has ended. */
  push(item: T): boolean {
    if (this.#end !== undefined || this.#items.length >= this.#limit) return false
    this.#items.push(item)
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
    this.#items = []
    this.#end = { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const batch = this.#items
      this.#items = []
      yield* batch
      if (this.#items.length > 0) continue
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
}
