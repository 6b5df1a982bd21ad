import type { AbortOptions } from '@nsbox/concurrency'
import type { Mount } from '../snapshots/mount.ts'

/** What of the host is about to be given to a task, or written to on its behalf. */
export interface GivenPaths {
  /** What is mounted for it, by whatever program; relative paths are relative to `base`. */
  readonly mounts: readonly Mount[]
  /** An absolute path; the directory of this process by default. */
  readonly base?: string | undefined
  /** Whether the task may change its mounts, so that read-only ones keep it from nothing. False by default. */
  readonly changeable?: boolean | undefined
  /** Absolute paths of files that are written to, and made where they are not there; none by default. */
  readonly files?: readonly string[] | undefined
  /** Absolute paths of directories that are written to, and made where they are not there; none by default. */
  readonly directories?: readonly string[] | undefined
}

/**
 * What a task has been given. Until it is disposed of, the files of the snapshots that it leads to stay where they are,
 * whatever becomes of the snapshots, and what can be written to belongs to nobody else.
 */
export interface PathUse extends Disposable {
  /** Plain data from which a later process resumes the use; undefined if it leads to no snapshot and never will. */
  readonly record: object | undefined
}

/** Whoever has to know of what tasks are given: the metadata of snapshots. */
export interface PathUses {
  /**
   * Says what a task is about to be given. Resolves once it may be.
   *
   * @param namespace of the task
   * @throws `failed_precondition` for what other namespaces have and the task could write to; `invalid_argument` for more
   * paths than can be looked at
   */
  use(namespace: string, given: GivenPaths, options?: AbortOptions): Promise<PathUse>

  /** Takes up a use of an earlier process, before anything is collected. @param record what it had as `record` */
  resume(record: object): PathUse
}
