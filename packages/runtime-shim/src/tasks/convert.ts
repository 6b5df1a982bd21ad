import type { MessageShape } from '@bufbuild/protobuf'
import { fromTimestamp } from '@nsbox/api'
import type { DeleteResponseSchema, StateResponseSchema } from '@nsbox/api/gen/runtime/task/v2/shim_pb'
import { Status } from '@nsbox/api/gen/types/task/task_pb'
import type { Process, ProcessExit, ProcessStatus } from '@nsbox/core/tasks'
import { systemClock } from '@nsbox/time'

const statuses: ReadonlyMap<Status, ProcessStatus> = new Map([
  [Status.CREATED, 'created'],
  [Status.RUNNING, 'running'],
  [Status.STOPPED, 'stopped'],
  [Status.PAUSED, 'paused'],
  [Status.PAUSING, 'pausing'],
])

/** A process as its shim describes it, without the id of an exec. */
export function fromState(
  { containerId, execId }: Pick<Process, 'containerId' | 'execId'>,
  state: MessageShape<typeof StateResponseSchema>,
): Process {
  const { pid, status, stdin, stdout, stderr, terminal } = state
  const exit = status === Status.STOPPED ? fromExit(state) : undefined
  return {
    ...{ containerId, execId, pid, stdin, stdout, stderr, terminal },
    status: statuses.get(status) ?? 'unknown',
    ...(exit !== undefined && { exit }),
  }
}

/** How a process ended; the time is now, if its shim gives none. */
export function fromExit({
  exitStatus,
  exitedAt,
}: Pick<MessageShape<typeof DeleteResponseSchema>, 'exitStatus' | 'exitedAt'>): ProcessExit {
  return { exitStatus, exitedAt: fromTimestamp(exitedAt, 'exited_at') ?? systemClock.stamp() }
}
