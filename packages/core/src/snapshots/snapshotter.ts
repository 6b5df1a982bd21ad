import type { AbortOptions } from '@nsbox/concurrency'
import type { LabelChange, Labels } from '../labels/labels.ts'
import type { Mount } from './mount.ts'
import type { SnapshotInfo, SnapshotUsage } from './snapshot-info.ts'

/** Reads what is known of snapshots. */
export interface SnapshotReader {
  /** @throws `not_found` */
  stat(name: string, options?: AbortOptions): Promise<SnapshotInfo>

  /**
   * What a snapshot takes on the disk: of an active one as it is now, of a committed one always the same, of a view
   * nothing.
   * @throws `not_found`
   */
  usage(name: string, options?: AbortOptions): Promise<SnapshotUsage>

  /**
   * The snapshots that match any of the filters (fields `kind`, `name`, `parent`, `labels.*`; BEHAVIOUR.md §2), ordered
   * by the bytes of their names; all of them if there is no filter. What is made or removed meanwhile may be
   * there or not.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): AsyncIterable<SnapshotInfo>
}

/** Tells how to get at the files of a snapshot. */
export interface SnapshotMounter {
  /**
   * What to mount, in order, to see the files of an active snapshot or a view; the same for as long as it exists.
   * @throws `not_found`; `failed_precondition` for a committed one (make a view of it)
   */
  mounts(key: string, options?: AbortOptions): Promise<Mount[]>
}

export interface PrepareOptions extends AbortOptions {
  /** Labels of the new snapshot; one with an empty value is left out. */
  readonly labels?: Labels | undefined
}

export interface CommitOptions extends AbortOptions {
  /** All the labels of the committed snapshot; it has none of those that the active one had. */
  readonly labels?: Labels | undefined
  /**
   * Bases a snapshot that was prepared without a parent on this one (rebase): its files lie on top of the parent's
   * from now on. Undefined, or the parent that it has already, changes nothing. `unimplemented` where a snapshot is a
   * copy of the parent that it was prepared with.
   */
  readonly parent?: string | undefined
}

/**
 * Makes snapshots and unmakes them. Names and keys are one set of free texts, which differ if their characters do; they
 * have at most 4096 bytes.
 */
export interface SnapshotMaker {
  /**
   * Makes an active snapshot: the files of `parent`, or none, to be changed.
   *
   * @param parent a committed snapshot; undefined or empty for none. Begun without one, the root directory belongs
   * to root and has mode 0755; otherwise it is like the parent's.
   * @returns what `mounts` returns
   * @throws `already_exists` for a key or name that is taken; `not_found` for the parent; `invalid_argument` for a parent
   * that is not committed, an empty or overlong key, or labels beyond the limits
   */
  prepare(key: string, parent: string | undefined, options?: PrepareOptions): Promise<Mount[]>

  /** Makes a view: the files of `parent`, or none, not to be changed. Otherwise as `prepare`. */
  view(key: string, parent: string | undefined, options?: PrepareOptions): Promise<Mount[]>

  /**
   * Turns an active snapshot into a committed one in one step: the key is gone, the name is there. Nobody may write to
   * the snapshot any more, so it should be mounted nowhere. Its files are on the disk when the call resolves. After
   * an error the snapshot is active as before.
   *
   * @throws `not_found` for the key or the parent; `already_exists` for a name that is taken; `failed_precondition` for
   * a snapshot that is not active or has another parent; `unavailable` while the same snapshot is being committed;
   * `invalid_argument` as `prepare`; `data_loss` or `resource_exhausted` if the disk did not
   * take its files, after which it cannot be committed any more
   */
  commit(name: string, key: string, options?: CommitOptions): Promise<SnapshotInfo>

  /**
   * Removes a snapshot and its files, which should be mounted nowhere.
   * @throws `not_found`; `failed_precondition` while others are based on it; `unavailable` while it is being committed
   */
  remove(name: string, options?: AbortOptions): Promise<void>
}

/** Looks after snapshots. */
export interface SnapshotManager {
  /**
   * Changes the labels of a snapshot of any kind, which is all that can be changed.
   * @throws `not_found`, `invalid_argument` for labels beyond the limits
   */
  update(name: string, labels: LabelChange, options?: AbortOptions): Promise<SnapshotInfo>

  /**
   * Removes what belongs to no snapshot: what a process that died was about to make or remove. May be called at any
   * time, beside all other calls.
   */
  cleanup(options?: AbortOptions): Promise<void>
}

/**
 * A snapshotter: trees of files that are based on each other. A snapshot begins as an active one, is written to through
 * its mounts and committed; committed ones are the parents of others.
 */
export interface Snapshotter extends SnapshotReader, SnapshotMounter, SnapshotMaker, SnapshotManager {}
