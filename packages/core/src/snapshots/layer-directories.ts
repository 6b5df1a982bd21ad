import type { AbortOptions } from '@nsbox/concurrency'
import type { SnapshotInfo } from './snapshot-info.ts'
import type { CommitOptions, Snapshotter } from './snapshotter.ts'

/** Where the files of one active snapshot are by themselves, without its parents. */
export interface LayerDirectory {
  /** Absolute. Whoever writes here must not mount the snapshot meanwhile. */
  readonly path: string
  /**
   * How a deletion of the parents' files is written here: as a character device 0:0 in place of the file; and, where a
   * directory hides what the parents have in it, as this extended attribute of the directory with the value `y`.
   */
  readonly opaqueAttribute: 'trusted.overlay.opaque' | 'user.overlay.opaque'
}

/** How to commit a snapshot whose files were written without its parents. */
export interface CommitLayerOptions extends CommitOptions {
  /**
   * The directories that exist in the snapshot only because something in them does, and were made with whatever
   * attributes: each takes owner, mode, modification time and extended attributes of the directory that it
   * stands for in the parents. One that no parent has, or that lies in one that hides
   * what the parents have there, is left as it is.
   *
   * Paths have one character per byte, as those of `AppliedLayer`; they are relative to the root of the snapshot,
   * without `.` or `..` or empty components, in any order. The root itself, if nothing described it, is the empty path.
   */
  readonly impliedDirectories?: readonly string[] | undefined
}

/**
 * The power of snapshotters that keep each snapshot's own changes in a directory by themselves: a layer can be
 * written there before its parents exist, and learns of them at commit.
 */
export interface LayerDirectories {
  /** @throws `not_found`; `failed_precondition` for a snapshot that is not active */
  layerDirectory(key: string, options?: AbortOptions): Promise<LayerDirectory>

  /**
   * As `Snapshotter.commit`. The parent may also be the name that a commit gives which was called before and is under
   * way: then this one ends after that, and with `not_found` if that fails. So the disk can be waited for once for many
   * layers, where each would have to wait for the one below.
   * @throws `invalid_argument` for a path that is none, `failed_precondition` if it is no directory in the snapshot
   */
  commit(name: string, key: string, options?: CommitLayerOptions): Promise<SnapshotInfo>
}

/** Whether a snapshotter has layer directories; one of another host has not. */
export function hasLayerDirectories(snapshotter: Snapshotter): snapshotter is Snapshotter & LayerDirectories {
  return typeof (snapshotter as Partial<LayerDirectories>).layerDirectory === 'function'
}
