/** Lets one at a time in per key, in the order of asking. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `body` once everybody who asked earlier with the same key is done. */
  async run<T>(key: string, body: () => Promise<T>): Promise<T> {
    const earlier = this.#tails.get(key)
    const turn = earlier === undefined ? body() : earlier.then(body)
    // A tail only tells when its turn is over; how it ended is for its caller.
    const tail = turn.catch(() => {})
    this.#tails.set(key, tail)
    try {
      return await turn
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
