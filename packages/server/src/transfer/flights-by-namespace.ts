import { createFlights, type Flights } from '@nsbox/images'

/** The table of flights of a namespace: one for all of them, but for those that share nothing, which wait for nobody else. */
export type FlightsOf = (namespace: string) => Flights

/** @param sharesNothing whether a namespace shares nothing with others */
export function flightsByNamespace(sharesNothing: (namespace: string) => boolean): FlightsOf {
  const shared = createFlights()
  const own = new Map<string, Flights>()
  return (namespace) => {
    if (!sharesNothing(namespace)) return shared
    const flights = own.get(namespace) ?? createFlights()
    own.set(namespace, flights)
    return flights
  }
}
