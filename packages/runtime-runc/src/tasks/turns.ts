/** Lets one thing happen after the other, in the order of asking. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `body` once everything asked for before has ended, however it did. */
  take<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(body)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
