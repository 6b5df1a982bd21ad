import type { AbortOptions } from '@nsbox/core/content'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  waiting: number
}

/**
 * Work that several callers want at once, done once. It goes on as long as anyone waits for it: a caller that gives up
 * does not take the result away from the others, and the last one to give up ends the work.
 */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** @param work is given the signal of all its callers together */
  async join(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiting++
    let leave: (() => void) | undefined
    try {
      if (!signal) return await flight.result
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal.reason)
        signal.addEventListener('abort', leave)
      })
      return await Promise.race([flight.result, left])
    } finally {
      if (leave) signal?.removeEventListener('abort', leave)
      if (--flight.waiting === 0) {
        this.#forget(key, flight)
        flight.controller.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const flight: Flight<T> = { controller, waiting: 0, result: work(controller.signal) }
    this.#flights.set(key, flight)
    // Whoever still waits learns of a failure; without anyone it is of no interest.
    flight.result.catch(() => {}).finally(() => this.#forget(key, flight))
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
