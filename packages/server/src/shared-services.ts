import { flightsByNamespace } from './flights-by-namespace.ts'
import type { RouteParts } from './routes/route-parts.ts'
import { UnpackAhead } from './snapshotters/unpack-ahead.ts'
import { StreamRegistry } from './streaming/stream-registry.ts'
import { TransferService } from './transfer/transfer-service.ts'
import { unpackDestinations } from './transfer/unpack-destinations.ts'

/** Services with state across calls. All listeners share them. */
export interface SharedServices {
  readonly streams: StreamRegistry
  readonly transfers: TransferService
  readonly ahead: UnpackAhead
}

/** Makes the services that all listeners share. */
export function sharedServices(parts: RouteParts): SharedServices {
  const { metadata, snapshotters, applier, workers, hostsDir, isAlone, counts, tracer, log } = parts
  const destinations = unpackDestinations({ metadata, snapshotters, applier, workers, counts, tracer })
  const flights = flightsByNamespace(isAlone)
  return {
    streams: new StreamRegistry(),
    transfers: new TransferService({ metadata, hostsDir, destinations, flights, counts, tracer }),
    ahead: new UnpackAhead({ metadata, applier, flights, counts, tracer, log }),
  }
}
