import { type AbortOptions, Mutex, shouldYield, yieldToEventLoop } from '@nsbox/concurrency'

/** A mutex for very many short operations that yields to the event loop between them. */
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
