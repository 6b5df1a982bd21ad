import type { AbortOptions } from '../abort-options.ts'
import type { OpaqueValue } from '../opaque-value.ts'
import type { Mount } from '../snapshots/mount.ts'
import type { CreateTaskOptions, Tasks } from './tasks.ts'

/** How a runtime makes a task: all that `CreateTaskOptions` leaves to the container. */
export interface RuntimeTaskOptions extends CreateTaskOptions {
  /** The container's spec. */
  readonly spec: OpaqueValue
  readonly rootfs: readonly Mount[]
}

/**
 * The tasks of one namespace, as a runtime has them: it knows no containers, and is given what it needs of them. The
 * rest of the contract is that of `Tasks`.
 */
export interface RuntimeTasks extends Omit<Tasks, 'create'> {
  /** @throws as `Tasks.create`, but for containers that do not exist */
  create(id: string, options: RuntimeTaskOptions): Promise<{ readonly pid: number }>
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

  /** @throws `invalid_argument` for options; `unknown` with the name of a program that cannot be run */
  info(options?: RuntimeInfoOptions): Promise<RuntimeInfo>
}
