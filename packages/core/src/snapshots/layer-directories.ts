import type { AbortOptions } from '@nsbox/concurrency'
import type { SnapshotInfo } from './snapshot-info.ts'
import type { CommitOptions, Snapshotter } from './snapshotter.ts'

/** The directory of one active snapshot's own files, without its parents. */
export interface LayerDirectory {
  /** Absolute. The snapshot must not be mounted while this is written to. */
  readonly path: string
  /**
   * How deletions are expressed: a character device 0:0 in place of a file is a whiteout, and a directory with this
   * extended attribute, of value `y`, is opaque.
   */
  readonly opaqueAttribute: 'trusted.overlay.opaque' | 'user.overlay.opaque'
}

/** How to commit a snapshot whose files were written without its parents. */
export interface CommitLayerOptions extends CommitOptions {
  /**
   * Directories that were made only because something in them exists. Each gets owner, mode, modification time and
   * extended attributes of the parents' directory at its place. One that no parent has, or that is in an opaque
   * directory, stays as it is.
   *
   * Paths have one character per byte, as those of `AppliedLayer`; they are relative to the root of the snapshot,
   * without `.` or `..` or empty components, in any order. The root itself, if no entry describes it, is the empty
   * path.
   */
  readonly impliedDirectories?: readonly string[] | undefined
}

/**
 * An extension of snapshotters that keep each snapshot's own changes in a separate directory: a layer can be written
 * there before its parents exist, and gets them at commit.
 */
export interface LayerDirectories {
  /** @throws `not_found`; `failed_precondition` for a snapshot that is not active */
  layerDirectory(key: string, options?: AbortOptions): Promise<LayerDirectory>

  /**
   * As `Snapshotter.commit`. The parent may also be the name of a commit that is still running. This commit then ends
   * after that one, and fails with `not_found` if that one fails. So many layers can share one sync.
   * @throws `invalid_argument` for an invalid path, `failed_precondition` if it is no directory in the snapshot
   */
  commit(name: string, key: string, options?: CommitLayerOptions): Promise<SnapshotInfo>
}

/** Whether a snapshotter has layer directories; a remote one has not. */
export function hasLayerDirectories(snapshotter: Snapshotter): snapshotter is Snapshotter & LayerDirectories {
  return typeof (snapshotter as Partial<LayerDirectories>).layerDirectory === 'function'
}
