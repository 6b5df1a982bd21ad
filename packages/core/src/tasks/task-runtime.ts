import type { AbortOptions } from '@nsbox/concurrency'
import type { OpaqueValue } from '../opaque-value.ts'
import type { Mount } from '../snapshots/mount.ts'
import type { CheckpointOptions, CreateTaskOptions, Tasks } from './tasks.ts'

/** Reads images of a checkpoint from a directory, or writes them to an empty one. */
export type CheckpointImages = (directory: string, options: AbortOptions) => Promise<void>

/** Options for a task, with everything that `CreateTaskOptions` takes from the container. */
export interface RuntimeTaskOptions extends Omit<CreateTaskOptions, 'checkpoint'> {
  /** The runtime's name in the container's record; some runtimes find their program by it. */
  readonly runtimeName?: string | undefined
  /** The container whose helper process this one shares, where a runtime has one for each container; empty for none. */
  readonly sandbox?: string | undefined
  /** The container's spec. */
  readonly spec: OpaqueValue
  readonly rootfs: readonly Mount[]
  /**
   * Writes the images to restore the task from when it is started. Called once, within `create`. The runtime owns the
   * directory, and removes it when it is not needed any more.
   */
  readonly restore?: CheckpointImages | undefined
}

/** How a runtime makes a checkpoint. */
export interface RuntimeCheckpointOptions extends Omit<CheckpointOptions, 'parent'> {
  /** Writes the images of an earlier checkpoint, to which this one adds. */
  readonly parent?: CheckpointImages | undefined
  /**
   * Takes the images, which are removed once it has resolved. Not called if the options name a directory for them.
   * @returns the name of the checkpoint for its event, such as a digest
   */
  readonly images: (...of: Parameters<CheckpointImages>) => Promise<string>
}

/**
 * The tasks of one namespace in a runtime, which does not know containers: the caller passes what it needs of them.
 * Otherwise as `Tasks`.
 */
export interface RuntimeTasks extends Omit<Tasks, 'create' | 'checkpoint'> {
  /** Whether there is a task, or one in the making. */
  has(id: string): boolean

  /**
   * @returns the pid; 0 for a task that is restored, which has a process once it is started
   * @throws as `Tasks.create`, but for containers that do not exist
   */
  create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }>

  /**
   * Writes the state of a running or paused task to a directory. Unless the options ask for its end, the task is
   * running or paused as before, also after an error.
   *
   * @throws `failed_precondition` before its start and after its end, and if a resource of its processes cannot be
   * saved, which the error names; `unimplemented` if the host lacks CRIU or what that needs
   */
  checkpoint(id: string, options: RuntimeCheckpointOptions): Promise<void>
}

/** Selects the program of a runtime. */
export interface RuntimeInfoOptions
  extends AbortOptions,
    Pick<CreateTaskOptions, 'options' | 'runtimePath'> {}

/** Information on the program of a runtime. */
export interface RuntimeInfo {
  /** Name of the program, such as `runc`. */
  readonly name: string
  readonly version: string
  /** The commit that it was built from; empty if it does not tell. */
  readonly revision: string
  /** The `features` document of the runtime specification; absent if the program has none. */
  readonly features?: OpaqueValue | undefined
}

/**
 * Runs tasks. A runtime takes over the tasks of an earlier process with the same state directory, with their output and
 * with ends that happened meanwhile. Disposing of it leaves its tasks running.
 */
export interface TaskRuntime extends AsyncDisposable {
  namespace(name: string): RuntimeTasks

  /** @throws `invalid_argument` for options; `unknown` with the name of a program that cannot be run */
  info(options?: RuntimeInfoOptions): Promise<RuntimeInfo>
}
