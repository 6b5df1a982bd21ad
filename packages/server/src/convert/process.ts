import type { MessageInitShape } from '@bufbuild/protobuf'
import { toTimestamp } from '@nsbox/api'
import type { DeleteResponseSchema } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { type ProcessSchema, Status } from '@nsbox/api/gen/types/task/task_pb'
import type { Process, ProcessExit, ProcessStatus } from '@nsbox/core/tasks'

const statuses: Readonly<Record<ProcessStatus, Status>> = {
  created: Status.CREATED,
  running: Status.RUNNING,
  stopped: Status.STOPPED,
  paused: Status.PAUSED,
  pausing: Status.PAUSING,
  unknown: Status.UNKNOWN,
}

/** Go's zero time, which clients take for "never". */
const never = { seconds: -62_135_596_800n, nanos: 0 }

/** The message of a process. Its id is that of the exec, or of the container for the first one. */
export function toProcessMessage(process: Process): MessageInitShape<typeof ProcessSchema> {
  const { containerId, execId, pid, status, stdin, stdout, stderr, terminal, exit } = process
  return {
    containerId,
    id: execId || containerId,
    pid,
    status: statuses[status],
    stdin,
    stdout,
    stderr,
    terminal,
    exitStatus: exit?.exitStatus ?? 0,
    exitedAt: exit === undefined ? never : toTimestamp(exit.exitedAt),
  }
}

/** The end of a process in a response. */
export function toExitMessage({ exitStatus, exitedAt }: ProcessExit) {
  return { exitStatus, exitedAt: toTimestamp(exitedAt) }
}

/** The response to a deletion. */
export function toDeletedMessage(
  id: string,
  { pid, ...exit }: ProcessExit & { readonly pid: number },
): MessageInitShape<typeof DeleteResponseSchema> {
  return { id, pid, ...toExitMessage(exit) }
}
