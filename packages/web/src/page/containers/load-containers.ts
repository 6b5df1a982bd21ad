import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { Container } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { type Process, Status } from '@nsbox/api/gen/types/task/task_pb'
import { containers, tasks, within } from '../connection/calls.ts'
import { inChosen } from '../connection/namespace-choice.ts'
import { forkedFromLabel } from './forked-from.ts'

/** What a container's task is doing; `none` without one. */
export type TaskState = 'none' | 'created' | 'running' | 'stopped' | 'paused' | 'pausing' | 'unknown'

/** A container and its task. */
export interface ListedContainer {
  readonly namespace: string
  readonly id: string
  readonly image: string
  readonly runtime: string
  readonly snapshotter: string
  readonly snapshotKey: string
  readonly labels: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined
  readonly forkedFrom: string | undefined
  readonly state: TaskState
  readonly pid: number
  /** Of a task that has stopped. */
  readonly exitStatus: number
  /** Whether its first process has a terminal. */
  readonly terminal: boolean
  /** Whether its output goes to a file, which can be read. */
  readonly hasLog: boolean
}

/** The containers of the chosen namespaces. */
export async function loadContainers(signal: AbortSignal): Promise<ListedContainer[]> {
  return await inChosen(signal, async (namespace) => {
    const options = within(namespace, { signal })
    const [listed, running] = await Promise.all([containers.list({}, options), tasks.list({}, options)])
    const byId = new Map(running.tasks.map((task) => [task.containerId || task.id, task]))
    return listed.containers.map((container) => listedContainer(namespace, container, byId.get(container.id)))
  })
}

const states: Readonly<Record<Status, TaskState>> = {
  [Status.UNKNOWN]: 'unknown',
  [Status.CREATED]: 'created',
  [Status.RUNNING]: 'running',
  [Status.STOPPED]: 'stopped',
  [Status.PAUSED]: 'paused',
  [Status.PAUSING]: 'pausing',
}

function listedContainer(
  namespace: string,
  { id, image, labels, runtime, snapshotter, snapshotKey, createdAt }: Container,
  task: Process | undefined,
): ListedContainer {
  return {
    ...{ namespace, id, image, snapshotter, snapshotKey, labels },
    runtime: runtime?.name ?? '',
    createdAt: createdAt && timestampMs(createdAt),
    forkedFrom: labels[forkedFromLabel],
    state: task === undefined ? 'none' : (states[task.status] ?? 'unknown'),
    pid: task?.pid ?? 0,
    exitStatus: task?.exitStatus ?? 0,
    terminal: task?.terminal ?? false,
    hasLog: task?.stdout.startsWith('file://') ?? false,
  }
}
