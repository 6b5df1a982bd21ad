import { createFlights, createFlightsByNamespace, type Flights } from '@nsbox/images'

/** The running downloads and unpackings that a namespace can join: its own, and those of all namespaces that share. */
export type FlightsOf = (namespace: string) => Flights

/** @param isAlone whether a namespace shares nothing with others */
export function flightsByNamespace(isAlone: (namespace: string) => boolean): FlightsOf {
  const shared = createFlights()
  const own = createFlightsByNamespace()
  return (namespace) => (isAlone(namespace) ? own(namespace) : shared)
}
