import { createFlights, type Flights } from '@nsbox/images'

/** The table of flights of a namespace: one for all of them, but for sealed ones, which wait for nobody else. */
export type FlightsOf = (namespace: string) => Flights

/** @param isSealed whether a namespace shares nothing with others */
export function flightsByNamespace(isSealed: (namespace: string) => boolean): FlightsOf {
  const shared = createFlights()
  const own = new Map<string, Flights>()
  return (namespace) => {
    if (!isSealed(namespace)) return shared
    const flights = own.get(namespace) ?? createFlights()
    own.set(namespace, flights)
    return flights
  }
}
