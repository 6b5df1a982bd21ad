import type { HandlerContext } from '@connectrpc/connect'
import type { TaskRuntime, Tasks } from '@nsbox/core/tasks'
import type { Metadata } from '@nsbox/metadata'
import { isTenant } from '../access/access.ts'
import { admitContainer } from '../access/tenant-container.ts'
import type { MountManager } from '../mounts/mount-manager.ts'
import { accessOf } from '../rpc/call-access.ts'
import { leaseOf, namespaceOf, viewsOf } from '../rpc/namespace-views.ts'
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

/** Makes the function that finds the tasks of a call's namespace. */
export function tasksOf({ metadata, snapshotters, runtime, mounts, sandboxes }: TasksOfParts): TasksOf {
  const view = viewsOf(metadata)
  return (context) => {
    const namespaced = view(context)
    const namespace = namespaceOf(context)
    return new ContainerTasks({
      containers: namespaced.containers,
      runtime: runtime.namespace(namespace),
      content: (lease) => metadata.namespace(namespace, { lease }).content,
      leases: namespaced.leases,
      mounts: {
        forTask: (id, given, options) => mounts.forTask(namespace, id, given, options),
        endTask: (id) => mounts.endTask(namespace, id),
      },
      sandboxes: sandboxes.namespace(namespace, namespaced.sandboxes),
      lease: leaseOf(context),
      snapshotter: (name) => loadedSnapshotter(namespaced, snapshotters, name),
      // Checks the very container that the task is made of, which may have changed since an earlier check.
      admit: isTenant(accessOf(context)) ? (container) => admitContainer(container, namespace) : undefined,
    })
  }
}
