import type { Snapshotter } from '@nsbox/core/snapshots'

/** Snapshotters by name, such as `overlayfs`, with the files of the snapshots of all namespaces. */
export type Snapshotters = ReadonlyMap<string, Snapshotter>
