import type { AbortOptions, Mount, SnapshotKind } from '@nsbox/core/snapshots'

/** The directories of a snapshot and of its parents. */
export interface SnapshotPlace {
  /** The directory of the snapshot. */
  readonly path: string
  readonly kind: Exclude<SnapshotKind, 'committed'>
  /** The directories of the snapshots below, the nearest first. */
  readonly parents: readonly string[]
}

/** How a snapshotter keeps files: as overlays or as copies. */
export interface SnapshotForm {
  /**
   * Fills the empty directory of a new snapshot. Writes nothing after it has settled.
   * @returns `filled` if there are files that have to be synced before the snapshot is recorded
   */
  create(place: SnapshotPlace, options: AbortOptions): Promise<'empty' | 'filled'>
  mounts(place: SnapshotPlace): Mount[]
  /** The directory of an active or committed snapshot's own files. */
  files(path: string): string
}
