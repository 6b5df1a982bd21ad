import type { AbortOptions } from '@nsbox/core/content'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  waiting: number
}

/**
 * Work that several callers wait for, done once. A caller that aborts does not disturb the others; when the last one
 * does, the work is aborted.
 */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** @param work gets a signal that aborts when all callers have aborted */
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
    // Callers that still wait get the error; without any it is ignored.
    flight.result.catch(() => {}).finally(() => this.#forget(key, flight))
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
