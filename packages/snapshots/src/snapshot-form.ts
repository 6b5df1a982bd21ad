import type { LayerDirectory, Mount, SnapshotKind } from '@nsbox/core/snapshots'

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
  /** Puts into the empty directory of a new snapshot what belongs there. */
  create(place: SnapshotPlace): Promise<void>
  mounts(place: SnapshotPlace): Mount[]
  /** Where the files of an active or committed snapshot are by themselves. */
  files(path: string): string
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
  /** Puts a snapshot that was made without parents on top of some. */
  rebase(path: string, parents: readonly string[], impliedDirectories: readonly string[]): Promise<void>
}
