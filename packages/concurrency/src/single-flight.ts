import type { AbortOptions } from './abort-options.ts'
import { abortable } from './abortable.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  callers: number
}

/**
 * Work that several callers want at once, by key, done once. It goes on as long as anyone waits for it: a caller that
 * gives up does not take the result away from the others, and the last one to give up ends the work.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * What `work` comes to, for this caller and all who call with the same key until it has settled.
   *
   * @param work is given a signal that aborts once nobody waits for the result any more
   * @throws what `work` throws; the signal's reason if it aborts first
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.callers += 1
    try {
      return await abortable(flight.result, { signal })
    } finally {
      flight.callers -= 1
      if (flight.callers === 0) {
        this.#forget(key, flight)
        flight.controller.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const flight: Flight<T> = { controller, callers: 0, result: work(controller.signal) }
    this.#flights.set(key, flight)
    // Whoever still waits learns of a failure; without anyone it is of no interest.
    flight.result.catch(() => {}).finally(() => this.#forget(key, flight))
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
