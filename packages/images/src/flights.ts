import type { AbortOptions } from '@nsbox/core/content'
import { Slots } from './slots.ts'

/**
 * Lets each thing be worked on once at a time, by key: whoever enters second waits, and then finds the work done.
 * A server hands one table to all its pulls, so that the same blob is not downloaded twice at once, in whichever
 * namespaces.
 */
export interface Flights {
  /**
   * Waits until nobody else is in the flight; disposing of the result leaves it.
   * @throws the signal's reason if it aborts first
   */
  enter(key: string, options?: AbortOptions): Promise<Disposable>
}

/** Makes an empty table of flights. */
export function createFlights(): Flights {
  const flights = new Map<string, { slots: Slots; users: number }>()
  return {
    async enter(key, options) {
      const flight = flights.get(key) ?? { slots: new Slots(1), users: 0 }
      flights.set(key, flight)
      flight.users += 1
      const forget = () => {
        flight.users -= 1
        if (flight.users === 0) flights.delete(key)
      }
      try {
        const slot = await flight.slots.take(options)
        let inside = true
        return {
          [Symbol.dispose]: () => {
            if (!inside) return
            inside = false
            slot[Symbol.dispose]()
            forget()
          },
        }
      } catch (error) {
        forget()
        throw error
      }
    },
  }
}
