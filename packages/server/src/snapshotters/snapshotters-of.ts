import { NsboxError } from '@nsbox/errors'
import type { Metadata } from '@nsbox/metadata'
import type { SnapshotterOf } from '../routes/snapshots.ts'
import { namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import { defaultSnapshotter } from './default-snapshotter.ts'
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
    const refusal = entries.find((entry) => entry.name === name)?.refusal
    if (refusal === undefined) return namespaced.snapshotter(name)
    throw new NsboxError('invalid_argument', `snapshotter not loaded: ${name}: ${refusal.message}`, {
      cause: refusal,
    })
  }
}
