import { randomUUID } from 'node:crypto'
import type { AbortOptions } from '@nsbox/core/content'
import type { Applier } from '@nsbox/core/diff'
import type { Labels } from '@nsbox/core/labels'
import type { Mount, SnapshotInfo, Snapshotter } from '@nsbox/core/snapshots'
import type { Descriptor } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** What the root filesystems of copies are based on. */
export interface ForkBase {
  /** Makes the snapshot of a copy, of the kind that the container's is. */
  make(key: string): Promise<Mount[]>
}

/** What a base is made with; what it stores is held by the lease of the snapshotter. */
interface ForkBaseParts extends AbortOptions {
  readonly applier: Applier
  readonly snapshotter: Snapshotter
}

/**
 * Commits the captured files of a container. The snapshot has a name of its own and no label that keeps it, so that it
 * is collected with the last copy.
 *
 * @param layer what the container has changed; without it, its snapshot is read-only, and so are those of the copies
 */
export async function forkBase(
  snapshot: SnapshotInfo,
  layer: Descriptor | undefined,
  { applier, snapshotter, signal }: ForkBaseParts,
): Promise<ForkBase> {
  const { parent } = snapshot
  const labels = copiedLabels(snapshot.labels)
  if (layer === undefined) return { make: (key) => snapshotter.view(key, parent, { labels }) }
  const name = `fork-${randomUUID()}`
  const key = `${name}-active`
  await using undo = new AsyncDisposableStack()
  const mounts = await snapshotter.prepare(key, parent, { labels, signal })
  undo.defer(() => snapshotter.remove(key))
  await applier.apply(layer, mounts, { signal })
  await snapshotter.commit(name, key, { labels, signal })
  undo.move()
  return { make: (key) => snapshotter.prepare(key, name, { labels }) }
}

/** The labels that say how to make a snapshot, without those for the collector and for finding layers. */
function copiedLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !key.startsWith('containerd.io/gc.') && key !== 'containerd.io/snapshot.ref',
    ),
  )
}
