import type { ConnectRouter } from '@connectrpc/connect'
import type { Applier } from '@nsbox/core/diff'
import type { LayerWorkers } from '@nsbox/diff'
import type { Metadata } from '@nsbox/metadata'
import type { Logger } from 'pino'
import { isTenant } from '../access/access.ts'
import { differsOf } from '../diff/differs-of.ts'
import type { EventExchange } from '../events/event-exchange.ts'
import { flightsByNamespace } from '../flights-by-namespace.ts'
import { pluginList } from '../plugin-list.ts'
import { accessOf } from '../rpc/call-access.ts'
import { leaseOf, namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import type { SnapshotterEntry } from '../snapshotters/open-snapshotters.ts'
import { snapshottersOf } from '../snapshotters/snapshotters-of.ts'
import { UnpackAhead } from '../snapshotters/unpack-ahead.ts'
import { StreamRegistry } from '../streaming/stream-registry.ts'
import type { OpenRuntime } from '../tasks/open-runtime.ts'
import { tasksOf } from '../tasks/tasks-of.ts'
import { TransferService } from '../transfer/transfer-service.ts'
import { unpackDestinations } from '../transfer/unpack-destinations.ts'
import { containersRoutes } from './containers.ts'
import { contentRoutes } from './content.ts'
import { diffRoutes } from './diff.ts'
import { eventsRoutes } from './events.ts'
import { healthRoutes } from './health.ts'
import { imagesRoutes } from './images.ts'
import { introspectionRoutes } from './introspection.ts'
import { leasesRoutes } from './leases.ts'
import { namespacesRoutes } from './namespaces.ts'
import { processesRoutes } from './processes.ts'
import { snapshotsRoutes } from './snapshots.ts'
import { streamingRoutes } from './streaming.ts'
import { tasksRoutes } from './tasks.ts'
import { transferRoutes } from './transfer.ts'
import { versionRoutes } from './version.ts'

/** What the services serve. */
export interface RouteParts {
  readonly metadata: Metadata
  readonly snapshotters: readonly SnapshotterEntry[]
  /** Of the blobs of all namespaces. */
  readonly applier: Applier
  /** Threads that apply and make layers. */
  readonly workers: LayerWorkers
  readonly events: EventExchange
  readonly tasks: Pick<OpenRuntime, 'runtime' | 'refusal'>
  readonly hostsDir: string | undefined
  /** Whether a namespace neither uses what others have nor gives them anything. */
  readonly isAlone: (namespace: string) => boolean
  /** Identity of the data root. */
  readonly uuid: string
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal
  readonly log: Logger
}

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

/** Registers every service. */
export function registerRoutes(router: ConnectRouter, parts: RouteParts, shared: SharedServices): void {
  const { metadata, snapshotters, applier, workers, events, tasks, uuid, stopping } = parts
  const { streams, transfers, ahead } = shared
  const { runtime, refusal: runtimeRefusal } = tasks
  const view = viewsOf(metadata)
  versionRoutes(router)
  introspectionRoutes(router, {
    uuid,
    plugins: pluginList({ snapshotters, runtimeRefusal }),
    runtimeInfo: (options) => runtime.info(options),
  })
  namespacesRoutes(router, metadata.namespaces)
  contentRoutes(router, view, (ref) => {
    // By its name the ingest is a layer (BEHAVIOUR.md §3). A client that fetches it itself has it applied next, for which
    // it would wait until a thread has started.
    if (ref.startsWith('layer-')) workers.start()
  })
  imagesRoutes(router, view)
  leasesRoutes(router, view)
  containersRoutes(router, view)
  snapshotsRoutes(router, snapshottersOf(metadata, snapshotters, ahead))
  diffRoutes(router, differsOf(view, { applier, workers }))
  const tasksOfCall = tasksOf({ metadata, snapshotters, runtime })
  tasksRoutes(router, tasksOfCall)
  processesRoutes(router, tasksOfCall)
  eventsRoutes(router, events)
  streamingRoutes(router, streams)
  transferRoutes(router, streams, (context) => {
    const caller = { namespace: namespaceOf(context), lease: leaseOf(context) }
    return transfers.for({ ...caller, isTenant: isTenant(accessOf(context)) })
  })
  healthRoutes(router, () => router.handlers.map(({ service }) => service.typeName), stopping)
}
