import type { Metadata } from '@nsbox/metadata'
import type { SnapshotterOf } from '../routes/snapshots.ts'
import { namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import { defaultSnapshotter } from './default-snapshotter.ts'
import { loadedSnapshotter } from './loaded-snapshotter.ts'
import type { SnapshotterEntry } from './open-snapshotters.ts'

/** Finds the snapshotter of each call, and says of one that does not work here why that is. */
export function snapshottersOf(
  metadata: Pick<Metadata, 'namespace' | 'namespaces'>,
  entries: readonly SnapshotterEntry[],
): SnapshotterOf {
  const view = viewsOf(metadata)
  return async (context, given) => {
    const namespaced = view(context)
    const name = given || (await defaultSnapshotter(metadata.namespaces, namespaceOf(context), context))
    return loadedSnapshotter(namespaced, entries, name)
  }
}
