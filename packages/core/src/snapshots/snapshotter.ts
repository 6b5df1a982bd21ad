import type { AbortOptions } from '@nsbox/concurrency'
import type { LabelChange, Labels } from '../labels/labels.ts'
import type { Mount } from './mount.ts'
import type { SnapshotInfo, SnapshotUsage } from './snapshot-info.ts'

/** Reads information on snapshots. */
export interface SnapshotReader {
  /** @throws `not_found` */
  stat(name: string, options?: AbortOptions): Promise<SnapshotInfo>

  /**
   * The disk usage of a snapshot: the current one if it is active, a constant one if it is committed, none for a view.
   * @throws `not_found`
   */
  usage(name: string, options?: AbortOptions): Promise<SnapshotUsage>

  /**
   * The snapshots that match any of the filters (fields `kind`, `name`, `parent`, `labels.*`; docs/behaviour.md §2),
   * ordered by the bytes of their names; all of them if there is no filter. Snapshots that are made or removed
   * meanwhile may be missing or not.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): AsyncIterable<SnapshotInfo>
}

/** Gives access to the files of a snapshot. */
export interface SnapshotMounter {
  /**
   * The mounts, in order, that show the files of an active snapshot or a view; the same for as long as it exists.
   * @throws `not_found`; `failed_precondition` for a committed one (make a view of it)
   */
  mounts(key: string, options?: AbortOptions): Promise<Mount[]>
}

export interface PrepareOptions extends AbortOptions {
  /** Labels of the new snapshot; one with an empty value is left out. */
  readonly labels?: Labels | undefined
}

export interface CommitOptions extends AbortOptions {
  /** The labels of the committed snapshot; those of the active one are dropped. */
  readonly labels?: Labels | undefined
  /**
   * A parent for a snapshot that was prepared without one (rebase). Undefined, or the parent that it has already,
   * changes nothing. `unimplemented` for snapshotters that copy the parent at `prepare`.
   */
  readonly parent?: string | undefined
}

/**
 * Makes, commits and removes snapshots. Names and keys share one namespace. They are any texts of at most 4096 bytes,
 * compared exactly.
 */
export interface SnapshotMaker {
  /**
   * Makes an active snapshot: a writable tree with the files of `parent`, or none.
   *
   * @param parent a committed snapshot; undefined or empty for none. Without one the root directory belongs to root and
   * has mode 0755; otherwise it is like the parent's.
   * @returns what `mounts` returns
   * @throws `already_exists` for a key or name that is taken; `not_found` for the parent; `invalid_argument` for a
   * parent that is not committed, an empty or overlong key, or labels beyond the limits
   */
  prepare(key: string, parent: string | undefined, options?: PrepareOptions): Promise<Mount[]>

  /** Makes a view: the files of `parent`, or none, read-only. Otherwise as `prepare`. */
  view(key: string, parent: string | undefined, options?: PrepareOptions): Promise<Mount[]>

  /**
   * Turns an active snapshot into a committed one, atomically: its key goes and the name appears. Nobody may write to
   * it any more, so it should not be mounted. Its files are on the disk when the call resolves. After an error the
   * snapshot is active as before.
   *
   * @throws `not_found` for the key or the parent; `already_exists` for a name that is taken; `failed_precondition` for
   * a snapshot that is not active or has another parent; `unavailable` while the same snapshot is being committed;
   * `invalid_argument` as `prepare`; `data_loss` or `resource_exhausted` if syncing its files failed, after which it
   * cannot be committed any more
   */
  commit(name: string, key: string, options?: CommitOptions): Promise<SnapshotInfo>

  /**
   * Removes a snapshot and its files. It should not be mounted.
   * @throws `not_found`; `failed_precondition` while others are based on it; `unavailable` while it is being committed
   */
  remove(name: string, options?: AbortOptions): Promise<void>
}

/** Manages snapshots. */
export interface SnapshotManager {
  /**
   * Changes the labels of a snapshot of any kind. Nothing else can be changed.
   * @throws `not_found`, `invalid_argument` for labels beyond the limits
   */
  update(name: string, labels: LabelChange, options?: AbortOptions): Promise<SnapshotInfo>

  /**
   * Removes files that belong to no snapshot, left by a process that died. May be called at any time, beside all other
   * calls.
   */
  cleanup(options?: AbortOptions): Promise<void>
}

/**
 * A snapshotter: trees of files that are based on each other. A snapshot begins as active, is written to through its
 * mounts, and is then committed; committed snapshots are the parents of others.
 */
export interface Snapshotter extends SnapshotReader, SnapshotMounter, SnapshotMaker, SnapshotManager {}
