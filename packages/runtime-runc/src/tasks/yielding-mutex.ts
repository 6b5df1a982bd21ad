import { type AbortOptions, Mutex, shouldYield, yieldToEventLoop } from '@nsbox/concurrency'

/** A mutex for those who may be very many, each with little to do: others have their turn of the event loop as well. */
export class YieldingMutex {
  readonly #mutex = new Mutex()

  /** As `Mutex.run`. */
  run<T>(options: AbortOptions, body: () => Promise<T>): Promise<T> {
    return this.#mutex.run(async () => {
      if (shouldYield()) await yieldToEventLoop(options)
      return await body()
    }, options)
  }
}
