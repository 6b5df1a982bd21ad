import type { Applier } from '@nsbox/core/diff'
import type { LayerWorkers } from '@nsbox/diff'
import type { Metadata } from '@nsbox/metadata'
import type { ServerCounts } from '../counts/server-counts.ts'
import { aroundStage } from '../snapshotters/around-stage.ts'
import { defaultSnapshotter } from '../snapshotters/default-snapshotter.ts'
import { loadedSnapshotter } from '../snapshotters/loaded-snapshotter.ts'
import type { SnapshotterEntry } from '../snapshotters/open-snapshotters.ts'
import { noTracer, type Tracer } from '../tracing/tracer.ts'
import type { UnpackDestinations } from './transfer-service.ts'

/** What unpacking needs. */
export interface UnpackParts {
  readonly metadata: Pick<Metadata, 'namespace' | 'namespaces'>
  readonly snapshotters: readonly SnapshotterEntry[]
  /** Applies the blobs of all namespaces. */
  readonly applier: Applier
  /**
   * The threads of the applier. The first is started when a pull begins, while documents are fetched; the others when
   * there are layers for them.
   */
  readonly workers: Pick<LayerWorkers, 'start'>
  readonly counts: Pick<ServerCounts, 'unpacked'>
  readonly tracer?: Tracer | undefined
}

/** Unpacks into the snapshots of the caller's namespace, under the caller's lease. */
export function unpackDestinations({
  metadata,
  snapshotters,
  applier,
  workers,
  counts,
  tracer = noTracer,
}: UnpackParts): UnpackDestinations {
  return async ({ namespace, lease }, given, options) => {
    const view = metadata.namespace(namespace, { lease })
    const snapshotterName =
      given ?? (await defaultSnapshotter(metadata.namespaces, snapshotters, namespace, options))
    const snapshotter = loadedSnapshotter(view, snapshotters, snapshotterName)
    workers.start()
    return {
      ...{ snapshotter, snapshotterName, applier: view.applier(applier) },
      aroundStage: aroundStage(counts, tracer, snapshotterName),
    }
  }
}
