import type { ConnectRouter } from '@connectrpc/connect'
import { isTenant } from '../access/access.ts'
import { differsOf } from '../diff/differs-of.ts'
import { startForLayers } from '../diff/start-for-layers.ts'
import { pluginList } from '../plugin-list.ts'
import { accessOf } from '../rpc/call-access.ts'
import { leaseOf, namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import type { SharedServices } from '../shared-services.ts'
import { callSnapshotterFrom } from '../snapshotters/call-snapshotter.ts'
import { tasksOf } from '../tasks/tasks-of.ts'
import { containersRoutes } from './containers.ts'
import { contentRoutes } from './content.ts'
import { diffRoutes } from './diff.ts'
import { diskRoutes } from './disk.ts'
import { eventsRoutes } from './events.ts'
import { healthRoutes } from './health.ts'
import { imagesRoutes } from './images.ts'
import { introspectionRoutes } from './introspection.ts'
import { leasesRoutes } from './leases.ts'
import { mountsRoutes } from './mounts.ts'
import { namespacesRoutes } from './namespaces.ts'
import { processesRoutes } from './processes.ts'
import type { RouteParts } from './route-parts.ts'
import { sandboxControllerRoutes } from './sandbox-controller.ts'
import { sandboxStoreRoutes } from './sandbox-store.ts'
import { snapshotsRoutes } from './snapshots.ts'
import { streamingRoutes } from './streaming.ts'
import { tasksRoutes } from './tasks.ts'
import { transferRoutes } from './transfer.ts'
import { versionRoutes } from './version.ts'
import { webRoutes } from './web.ts'

/** Registers every service with its parts. Makes no decisions. */
export function registerRoutes(router: ConnectRouter, parts: RouteParts, shared: SharedServices): void {
  const { metadata, snapshotters, applier, workers, events, tasks, mounts, sandboxes, uuid, stopping } = parts
  const { streams, transfers, ahead } = shared
  const { runtime, refusal: runtimeRefusal } = tasks
  const view = viewsOf(metadata)
  versionRoutes(router)
  introspectionRoutes(router, {
    uuid,
    plugins: () => pluginList({ snapshotters, runtimeRefusal }),
    runtimeInfo: (options) => runtime.info(options),
  })
  namespacesRoutes(router, metadata.namespaces)
  contentRoutes(router, view, startForLayers(workers))
  imagesRoutes(router, view)
  leasesRoutes(router, view)
  containersRoutes(router, view, (context, { runtime: { name } }) =>
    tasks.expectTask(namespaceOf(context), name),
  )
  snapshotsRoutes(router, callSnapshotterFrom(metadata, snapshotters, ahead))
  diffRoutes(router, differsOf(view, { applier, workers, tracer: parts.tracer }))
  diskRoutes(router, view)
  mountsRoutes(router, mounts, namespaceOf)
  sandboxStoreRoutes(router, view)
  sandboxControllerRoutes(router, (context) =>
    sandboxes.namespace(namespaceOf(context), view(context).sandboxes),
  )
  const tasksOfCall = tasksOf({ metadata, snapshotters, runtime, mounts, sandboxes })
  tasksRoutes(router, tasksOfCall)
  processesRoutes(router, tasksOfCall)
  eventsRoutes(router, events)
  streamingRoutes(router, streams)
  webRoutes(router, { pageLink: parts.pageLink, streams })
  transferRoutes(router, streams, (context) => {
    const caller = { namespace: namespaceOf(context), lease: leaseOf(context) }
    return transfers.for({ ...caller, isTenant: isTenant(accessOf(context)) })
  })
  healthRoutes(router, () => router.handlers.map(({ service }) => service.typeName), stopping)
}
