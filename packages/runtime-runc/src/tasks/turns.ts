import { shouldYield, yieldToEventLoop } from '@nsbox/concurrency'

/** Lets one thing happen after the other, in the order of asking; however many they are, others have their turn as well. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `body` once everything asked for before has ended, however it did. */
  take<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (shouldYield()) await yieldToEventLoop()
      return await body()
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
