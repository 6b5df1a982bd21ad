import type { Download } from './download.ts'
import { FlightTable } from './flight-table.ts'
import type { Unpacking } from './unpacking.ts'

/**
 * What pulls are doing, so that no blob is downloaded and no layer unpacked twice at once without need. A server hands one
 * to all its pulls, in whichever namespaces.
 */
export interface Flights {
  /** By the blob's digest. */
  readonly downloads: FlightTable<Download>
  /** By the snapshotter's name and the chain id. */
  readonly unpackings: FlightTable<Unpacking>
}

/** Makes empty tables. */
export function createFlights(): Flights {
  return { downloads: new FlightTable(), unpackings: new FlightTable() }
}
