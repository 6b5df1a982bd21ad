import type { AbortOptions } from '@nsbox/concurrency'
import type { OpaqueValue } from '../opaque-value.ts'
import type { Mount } from '../snapshots/mount.ts'
import type { CheckpointOptions, CreateTaskOptions, Tasks } from './tasks.ts'

/** Reads images of a checkpoint from a directory, or writes them to one that is empty. */
export type CheckpointImages = (directory: string, options: AbortOptions) => Promise<void>

/** How a runtime makes a task: all that `CreateTaskOptions` leaves to the container. */
export interface RuntimeTaskOptions extends Omit<CreateTaskOptions, 'checkpoint'> {
  /** The container's spec. */
  readonly spec: OpaqueValue
  readonly rootfs: readonly Mount[]
  /**
   * Writes the images from which the task goes on once it is started, instead of from the beginning. Called once, within
   * `create`; the directory is the runtime's, and gone when nobody needs it any more.
   */
  readonly restore?: CheckpointImages | undefined
}

/** How a runtime makes a checkpoint. */
export interface RuntimeCheckpointOptions extends Omit<CheckpointOptions, 'parent'> {
  /** Writes the images of an earlier checkpoint, to which this one adds. */
  readonly parent?: CheckpointImages | undefined
  /**
   * Takes the images, which are gone when it has resolved. Not called if the options name a directory for them.
   * @returns what names the checkpoint in the event that tells of it, such as a digest
   */
  readonly images: (...of: Parameters<CheckpointImages>) => Promise<string>
}

/**
 * The tasks of one namespace, as a runtime has them: it knows no containers, and is given what it needs of them. The
 * rest of the contract is that of `Tasks`.
 */
export interface RuntimeTasks extends Omit<Tasks, 'create' | 'checkpoint'> {
  /**
   * @returns the pid; 0 for a task that is to go on from a checkpoint, which has a process once it is started
   * @throws as `Tasks.create`, but for containers that do not exist
   */
  create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }>

  /**
   * Writes the state of a running or paused task to a directory. Unless the options ask for its end, the task is
   * afterwards what it was before, also after an error.
   *
   * @throws `failed_precondition` before its start and after its end, and if a resource of its processes cannot be kept,
   * which the error names; `unimplemented` if the host lacks CRIU or what it needs
   */
  checkpoint(id: string, options: RuntimeCheckpointOptions): Promise<void>
}

/** Which program of a runtime is meant. */
export interface RuntimeInfoOptions
  extends AbortOptions,
    Pick<CreateTaskOptions, 'options' | 'runtimePath'> {}

/** What a runtime runs tasks with. */
export interface RuntimeInfo {
  /** Name of the program, such as `runc`. */
  readonly name: string
  readonly version: string
  /** The commit that it was built from; empty if it does not tell. */
  readonly revision: string
  /** The document `features` of the runtime specification; absent where the program does not tell. */
  readonly features?: OpaqueValue | undefined
}

/**
 * Runs tasks. Those of an earlier process of the same state directory are found again: what they are, what they have
 * written and how they ended meanwhile. Disposing of a runtime leaves its tasks running.
 */
export interface TaskRuntime extends AsyncDisposable {
  namespace(name: string): RuntimeTasks

  /** Says that a task may be created soon, for which a runtime can make ready what takes time. */
  expectTask(): void

  /** @throws `invalid_argument` for options; `unknown` with the name of a program that cannot be run */
  info(options?: RuntimeInfoOptions): Promise<RuntimeInfo>
}
