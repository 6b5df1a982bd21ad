import type { AbortOptions } from './abort-options.ts'
import { abortable } from './abortable.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  callers: number
}

/**
 * Runs an operation once for all callers that want it at the same time, by key. It goes on as long as a caller waits
 * for it; when the last one has given up, it is aborted.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * The result of `work`, for this caller and all that call with the same key until it has settled.
   *
   * @param work gets a signal that aborts once no caller waits for the result any more
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
    // Callers that still wait get the failure; without any it is ignored.
    flight.result.catch(() => {}).finally(() => this.#forget(key, flight))
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
