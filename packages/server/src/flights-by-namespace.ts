import { createFlights, createFlightsByNamespace, type Flights } from '@nsbox/images'

/** The flights that a namespace knows of: those of all that share what they have, or its own. */
export type FlightsOf = (namespace: string) => Flights

/** @param isAlone whether a namespace neither uses what others have nor gives them anything */
export function flightsByNamespace(isAlone: (namespace: string) => boolean): FlightsOf {
  const shared = createFlights()
  const own = createFlightsByNamespace()
  return (namespace) => (isAlone(namespace) ? own(namespace) : shared)
}
