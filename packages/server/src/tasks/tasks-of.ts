import type { HandlerContext } from '@connectrpc/connect'
import type { TaskRuntime, Tasks } from '@nsbox/core/tasks'
import type { Metadata } from '@nsbox/metadata'
import { isTenant } from '../access/access.ts'
import { admitContainer } from '../access/tenant-container.ts'
import type { MountManager } from '../mounts/mount-manager.ts'
import { accessOf } from '../rpc/call-access.ts'
import { leaseOf, namespaceOf } from '../rpc/namespace-views.ts'
import type { RunningSandboxes } from '../sandboxes/running-sandboxes.ts'
import { loadedSnapshotter } from '../snapshotters/loaded-snapshotter.ts'
import type { SnapshotterEntry } from '../snapshotters/open-snapshotters.ts'
import { ContainerTasks } from './container-tasks.ts'

/** Finds the tasks of a call, by its headers. */
export type TasksOf = (context: HandlerContext) => Tasks

/** The parts that tasks need. */
export interface TasksOfParts {
  readonly metadata: Metadata
  readonly snapshotters: readonly SnapshotterEntry[]
  readonly runtime: Pick<TaskRuntime, 'namespace'>
  readonly mounts: Pick<MountManager, 'forTask' | 'endTask'>
  readonly sandboxes: RunningSandboxes
}

/** Whose tasks are worked with, and for whom. */
export interface TasksChoice {
  readonly namespace: string
  /** Holds what is made for the caller. */
  readonly lease?: string | undefined
  /** Whether containers are a tenant's, which must not have anything of the host. */
  readonly isTenants: boolean
}

/** Makes the function that finds the tasks of a call's namespace. */
export function tasksOf(parts: TasksOfParts): TasksOf {
  const tasks = namespaceTasks(parts)
  return (context) =>
    tasks({
      namespace: namespaceOf(context),
      lease: leaseOf(context),
      isTenants: isTenant(accessOf(context)),
    })
}

/** Makes the function that finds the tasks of a namespace. */
export function namespaceTasks({
  metadata,
  snapshotters,
  runtime,
  mounts,
  sandboxes,
}: TasksOfParts): (choice: TasksChoice) => Tasks {
  return ({ namespace, lease, isTenants }) => {
    const view = metadata.namespace(namespace, { lease })
    return new ContainerTasks({
      containers: view.containers,
      runtime: runtime.namespace(namespace),
      content: (held) => metadata.namespace(namespace, { lease: held }).content,
      leases: view.leases,
      mounts: {
        forTask: (id, given, options) => mounts.forTask(namespace, id, given, options),
        endTask: (id) => mounts.endTask(namespace, id),
      },
      sandboxes: sandboxes.namespace(namespace, view.sandboxes),
      lease,
      snapshotter: (name) => loadedSnapshotter(view, snapshotters, name),
      // Checks the very container that the task is made of, which may have changed since an earlier check.
      admit: isTenants ? (container) => admitContainer(container, namespace) : undefined,
    })
  }
}
