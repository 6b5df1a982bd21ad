import type { HandlerContext } from '@connectrpc/connect'
import type { Snapshotter } from '@nsbox/core/snapshots'
import type { Metadata } from '@nsbox/metadata'
import { leaseOf, namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
import { defaultSnapshotter } from './default-snapshotter.ts'
import { loadedSnapshotter } from './loaded-snapshotter.ts'
import type { SnapshotterEntry } from './open-snapshotters.ts'
import type { UnpackAhead } from './unpack-ahead.ts'

/**
 * The snapshotter of a call, by its headers and the name in its request, which may be empty.
 * @throws `invalid_argument` for a name that no snapshotter has
 */
export type CallSnapshotter = (context: HandlerContext, name: string) => Promise<Snapshotter>

/**
 * Finds the snapshotter of each call; for one that does not work here, throws the reason. For calls under a lease,
 * images are unpacked ahead.
 */
export function callSnapshotterFrom(
  metadata: Pick<Metadata, 'namespace' | 'namespaces'>,
  entries: readonly SnapshotterEntry[],
  ahead: UnpackAhead,
): CallSnapshotter {
  const view = viewsOf(metadata)
  return async (context, given) => {
    const namespaced = view(context)
    const [namespace, lease] = [namespaceOf(context), leaseOf(context)]
    const snapshotterName =
      given || (await defaultSnapshotter(metadata.namespaces, entries, namespace, context))
    const snapshotter = loadedSnapshotter(namespaced, entries, snapshotterName)
    if (lease === undefined) return snapshotter
    // A deadline is for a question, and unpacking takes longer.
    return ahead.for(snapshotter, { namespace, lease, snapshotterName }, context.timeoutMs() === undefined)
  }
}
