import type { AbortOptions, Mount, SnapshotKind } from '@nsbox/core/snapshots'

/** Where the files of a snapshot are, and those of what it is based on. */
export interface SnapshotPlace {
  /** The directory of the snapshot. */
  readonly path: string
  readonly kind: Exclude<SnapshotKind, 'committed'>
  /** The directories of the snapshots below, the nearest first. */
  readonly parents: readonly string[]
}

/** How a snapshotter keeps files in the directories of its snapshots. */
export interface SnapshotForm {
  /**
   * Puts into the empty directory of a new snapshot what belongs there. Once it has settled it does nothing more.
   * @returns `filled` if that is files which must not be lost before the snapshot is recorded
   */
  create(place: SnapshotPlace, options: AbortOptions): Promise<'empty' | 'filled'>
  mounts(place: SnapshotPlace): Mount[]
  /** Where the files of an active or committed snapshot are by themselves. */
  files(path: string): string
}
