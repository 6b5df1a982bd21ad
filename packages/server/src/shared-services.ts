import type { RouteParts } from './routes/route-parts.ts'
import { UnpackAhead } from './snapshotters/unpack-ahead.ts'
import { StreamRegistry } from './streaming/stream-registry.ts'
import { flightsByNamespace } from './transfer/flights-by-namespace.ts'
import { TransferService } from './transfer/transfer-service.ts'
import { unpackDestinations } from './transfer/unpack-destinations.ts'

/** What the services of a server know of calls under way; there is one of each, however many listeners there are. */
export interface SharedServices {
  readonly streams: StreamRegistry
  readonly transfers: TransferService
  readonly ahead: UnpackAhead
}

/** Makes what listeners share. */
export function sharedServices(parts: RouteParts): SharedServices {
  const { metadata, snapshotters, applier, workers, hostsDir, isAlone, log } = parts
  const destinations = unpackDestinations({ metadata, snapshotters, applier, workers })
  const flights = flightsByNamespace(isAlone)
  return {
    streams: new StreamRegistry(),
    transfers: new TransferService({ metadata, hostsDir, destinations, flights }),
    ahead: new UnpackAhead({ metadata, applier, flights, log }),
  }
}
