import type { Download } from './download.ts'
import { FlightTable, type Table } from './flight-table.ts'
import type { Unpacking } from './unpacking.ts'

/**
 * Running downloads and unpackings of pulls, so that no blob is downloaded and no layer unpacked twice at once without
 * need. A server shares one among its pulls, in all namespaces.
 */
export interface Flights {
  /** By the blob's digest. */
  readonly downloads: Table<Download>
  /** By the snapshotter's name and the chain id. */
  readonly unpackings: Table<Unpacking>
}

/** Makes empty tables. */
export function createFlights(): Flights {
  return { downloads: new FlightTable(), unpackings: new FlightTable() }
}

/** Makes empty tables for namespaces that share nothing: each sees only its own pulls. */
export function createFlightsByNamespace(): (namespace: string) => Flights {
  const downloads = new FlightTable<Download>()
  const unpackings = new FlightTable<Unpacking>()
  return (namespace) => ({
    downloads: downloads.within(namespace),
    unpackings: unpackings.within(namespace),
  })
}
