import type { Snapshotter } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import type { NamespaceView } from '@nsbox/metadata'
import type { SnapshotterEntry } from './open-snapshotters.ts'

/**
 * The snapshots that a namespace has of one snapshotter.
 * @throws `invalid_argument` if there is none of that name or it does not work here, with the reason
 */
export function loadedSnapshotter(
  view: Pick<NamespaceView, 'snapshotter'>,
  entries: readonly SnapshotterEntry[],
  name: string,
): Snapshotter {
  const refusal = entries.find((entry) => entry.name === name)?.refusal
  if (refusal === undefined) return view.snapshotter(name)
  throw new NsboxError('invalid_argument', `snapshotter not loaded: ${name}: ${refusal.message}`, {
    cause: refusal,
  })
}
