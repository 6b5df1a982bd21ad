/** Messages on their way to a transport, which takes them one by one as it can send them. */
export class Outbox<T> implements AsyncIterable<T> {
  #waiting: { message: T; taken: () => void }[] = []
  #wake: (() => void) | undefined
  #ended = false

  /** Resolves once the message was taken, or once it is known that it will not be. */
  put(message: T): Promise<void> {
    if (this.#ended) return Promise.resolve()
    return new Promise((taken) => {
      this.#waiting.push({ message, taken })
      this.#wake?.()
    })
  }

  /** Ends the iteration after the messages that wait. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** Ends the iteration now. */
  discard(): void {
    const discarded = this.#waiting
    this.#waiting = []
    for (const { taken } of discarded) taken()
    this.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next) {
        next.taken()
        yield next.message
      } else if (this.#ended) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
