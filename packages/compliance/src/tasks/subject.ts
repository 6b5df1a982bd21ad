import type { Event } from '@nsbox/core/events'
import type { Mount } from '@nsbox/core/snapshots'
import type { OpaqueValue, Tasks } from '@nsbox/core/tasks'

/** Events of the subject's namespace, in order. */
export interface CollectedEvents extends AsyncDisposable {
  readonly events: readonly Event[]
}

/** The tasks under test, in a namespace of their own. */
export interface TasksSubject extends AsyncDisposable {
  readonly tasks: Tasks
  /** Makes a container, without a task. */
  newContainer(id: string, spec: OpaqueValue): Promise<void>
  /** A root filesystem with the commands of busybox in `/bin`; all containers share it and may write to its `/tmp`. */
  readonly rootfs: readonly Mount[]
  /** A directory for FIFOs and files of clients. */
  readonly directory: string
  /** Collects all events that are published after the promise resolves. */
  collectEvents(): Promise<CollectedEvents>
}

/** Makes tasks without other users; disposing of the subject removes them and all that they left. */
export type CreateTasksSubject = () => Promise<TasksSubject>
