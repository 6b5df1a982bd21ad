import type { AbortOptions } from '@nsbox/concurrency'
import type { Mount } from '../snapshots/mount.ts'

/** Paths of the host that a task gets, or that are written to on its behalf. */
export interface GivenPaths {
  /** Mounts for the task, whichever program makes them. Relative paths are relative to `base`. */
  readonly mounts: readonly Mount[]
  /** An absolute path; the directory of this process by default. */
  readonly base?: string | undefined
  /** Whether the task may change its mounts, in which case read-only ones count as writable. False by default. */
  readonly changeable?: boolean | undefined
  /** Absolute paths of files that are written to, and made if they are missing; none by default. */
  readonly files?: readonly string[] | undefined
  /** Absolute paths of directories that are written to, and made if they are missing; none by default. */
  readonly directories?: readonly string[] | undefined
}

/**
 * The use of paths by a task. Until it is disposed of, the files of the snapshots that the paths lead to stay, even if
 * the snapshots are removed, and what can be written to is not shared with other namespaces.
 */
export interface PathUse extends Disposable {
  /** Plain data with which a later process resumes the use; undefined if it never concerns a snapshot. */
  readonly record: object | undefined
}

/** Tracks the paths that tasks use. */
export interface PathUses {
  /**
   * Registers the paths that a task is about to get. Resolves once it may get them.
   *
   * @param namespace the task's namespace
   * @throws `failed_precondition` if the task could write to what other namespaces share; `invalid_argument` for too
   * many paths
   */
  use(namespace: string, given: GivenPaths, options?: AbortOptions): Promise<PathUse>

  /** Resumes a use of an earlier process. Must be called before the first collection. @param record its `record` */
  resume(record: object): PathUse
}
