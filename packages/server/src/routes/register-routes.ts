import type { ConnectRouter } from '@connectrpc/connect'
import type { Metadata } from '@nsbox/metadata'
import type { EventExchange } from '../events/event-exchange.ts'
import { leaseOf, namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import { StreamRegistry } from '../streaming/stream-registry.ts'
import { TransferService } from '../transfer/transfer-service.ts'
import { contentRoutes } from './content.ts'
import { eventsRoutes } from './events.ts'
import { healthRoutes } from './health.ts'
import { imagesRoutes } from './images.ts'
import { introspectionRoutes } from './introspection.ts'
import { leasesRoutes } from './leases.ts'
import { namespacesRoutes } from './namespaces.ts'
import { snapshotsRoutes } from './snapshots.ts'
import { streamingRoutes } from './streaming.ts'
import { transferRoutes } from './transfer.ts'
import { versionRoutes } from './version.ts'

/** What the services serve. */
export interface RouteParts {
  readonly metadata: Metadata
  readonly events: EventExchange
  readonly hostsDir: string | undefined
  /** Identity of the data root. */
  readonly uuid: string
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal
}

/** Registers every service. */
export function registerRoutes(router: ConnectRouter, parts: RouteParts): void {
  const { metadata, events, hostsDir, uuid, stopping } = parts
  const view = viewsOf(metadata)
  const streams = new StreamRegistry()
  const transfers = new TransferService({ metadata, hostsDir })
  versionRoutes(router)
  introspectionRoutes(router, { uuid })
  namespacesRoutes(router, metadata.namespaces)
  contentRoutes(router, view)
  imagesRoutes(router, view)
  leasesRoutes(router, view)
  snapshotsRoutes(router, view)
  eventsRoutes(router, events)
  streamingRoutes(router, streams)
  transferRoutes(router, streams, (context) => {
    return transfers.for({ namespace: namespaceOf(context), lease: leaseOf(context) })
  })
  healthRoutes(router, () => router.handlers.map(({ service }) => service.typeName), stopping)
}
