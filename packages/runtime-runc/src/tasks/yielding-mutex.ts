import { type AbortOptions, Mutex, shouldYield, yieldToEventLoop } from '@nsbox/concurrency'

/** A mutex for very many callers, each with little to do, that lets other work on the event loop run in between. */
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
