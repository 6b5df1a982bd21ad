import { type AbortOptions, abortable, type Deferred, deferred } from '@nsbox/concurrency'

/** Milliseconds between checks that waiting is still worthwhile. */
const lookInterval = 200

/** The part of a table that its users need. */
export type Table<T extends object> = Pick<FlightTable<T>, 'of' | 'begin' | 'settled'>

interface Flights<T> {
  readonly underWay: Set<T>
  /** Fulfilled when one of them ends. */
  ended: Deferred<void>
}

/**
 * Running work, by key, so that the same is not done twice at once without need. It is no lock: a caller that needs the
 * same waits for running work only while that seems worthwhile, and then does it too.
 */
export class FlightTable<T extends object> {
  readonly #flights = new Map<string, Flights<T>>()

  /** The part of the table that has keys of its own, by a name without a slash. */
  within(name: string): Table<T> {
    const own = (key: string) => `${name}/${key}`
    return {
      of: (key) => this.of(own(key)),
      begin: (key, flight) => this.begin(own(key), flight),
      settled: (key, ...rest) => this.settled(own(key), ...rest),
    }
  }

  /** Running work with a key, in the order of its beginning. */
  of(key: string): readonly T[] {
    return [...(this.#flights.get(key)?.underWay ?? [])]
  }

  /** Registers running work, until the result is disposed of. */
  begin(key: string, flight: T): Disposable {
    const flights = this.#flights.get(key) ?? { underWay: new Set<T>(), ended: deferred() }
    this.#flights.set(key, flights)
    flights.underWay.add(flight)
    return {
      [Symbol.dispose]: () => {
        if (!flights.underWay.delete(flight)) return
        if (flights.underWay.size === 0) this.#flights.delete(key)
        const { resolve } = flights.ended
        flights.ended = deferred()
        resolve()
      },
    }
  }

  /**
   * Waits until no running work is worth waiting for. Another waiter may begin at that moment: a caller that must not
   * run beside it checks again, by `of`, and begins without waiting in between.
   * @throws the signal's reason if it aborts first
   */
  async settled(key: string, isWorthIt: (other: T) => boolean, { signal }: AbortOptions = {}): Promise<void> {
    for (;;) {
      const flights = this.#flights.get(key)
      if (flights === undefined || ![...flights.underWay].some(isWorthIt)) return
      await endOrTime(flights.ended.promise, signal)
    }
  }
}

/** Waits until some work has ended, or until the next check. */
async function endOrTime(ended: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const time = deferred()
  const timer = setTimeout(time.resolve, lookInterval)
  try {
    await abortable(Promise.race([ended, time.promise]), { signal })
  } finally {
    clearTimeout(timer)
  }
}
