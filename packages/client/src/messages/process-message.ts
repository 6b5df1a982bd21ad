import { fromTimestamp } from '@nsbox/api'
import type { DeleteResponse, WaitResponse } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { type Process as ProcessMessage, Status } from '@nsbox/api/gen/types/task/task_pb'
import type { Process, ProcessExit, ProcessStatus } from '@nsbox/core/tasks'
import { Timestamp } from '@nsbox/time'
import { receivedTime } from '../connection/received.ts'

const statuses: ReadonlyMap<number, ProcessStatus> = new Map([
  [Status.CREATED, 'created'],
  [Status.RUNNING, 'running'],
  [Status.STOPPED, 'stopped'],
  [Status.PAUSED, 'paused'],
  [Status.PAUSING, 'pausing'],
])

/**
 * A process from a response.
 *
 * @param choice what was asked for: containerd 1.7 puts the id of an exec where that of its container belongs
 */
export function receivedProcess(
  message: ProcessMessage,
  choice: { readonly containerId: string; readonly execId: string },
): Process {
  const { pid, stdin, stdout, stderr, terminal } = message
  const status = statuses.get(message.status) ?? 'unknown'
  const exitedAt = fromTimestamp(message.exitedAt, 'exited_at')
  return {
    ...choice,
    pid,
    status,
    stdin,
    stdout,
    stderr,
    terminal,
    // An end without a time was never observed.
    ...(status === 'stopped' && {
      exit: { exitStatus: message.exitStatus, exitedAt: exitedAt ?? Timestamp.epoch },
    }),
  }
}

/** How a process ended, from a response. */
export function receivedExit({ exitStatus, exitedAt }: WaitResponse | DeleteResponse): ProcessExit {
  return { exitStatus, exitedAt: receivedTime(exitedAt, 'exited_at') }
}
