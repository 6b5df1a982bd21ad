import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'

/**
 * `active`: can be written to and committed. `view`: read-only, cannot be committed. `committed`: never changes, and
 * can be a parent.
 */
export type SnapshotKind = 'active' | 'view' | 'committed'

/** Kind, name, parent, times and labels of a snapshot. */
export interface SnapshotInfo {
  /** The key of an active snapshot or a view; the name of a committed one. */
  readonly name: string
  readonly kind: SnapshotKind
  /** The committed snapshot that this one is based on; undefined for one that began empty. */
  readonly parent: string | undefined
  readonly labels: Labels
  /** When it was made; for a committed one, when it was committed. */
  readonly createdAt: Timestamp
  /** When its labels last changed; never before `createdAt`. */
  readonly updatedAt: Timestamp
}

/** The disk usage of a snapshot: without its parents, or of the whole tree if it is kept as a copy. */
export interface SnapshotUsage {
  /** Bytes of disk blocks, so that holes count nothing and a hard-linked file counts once. */
  readonly size: number
  /** The root directory included. */
  readonly inodes: number
}
