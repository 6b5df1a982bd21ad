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

/**
 * Runs tasks. Those of an earlier process of the same state directory are found again: what they are, what they have
 * written and how they ended meanwhile. Disposing of a runtime leaves its tasks running.
 */
export interface TaskRuntime extends AsyncDisposable {
  namespace(name: string): RuntimeTasks
}
