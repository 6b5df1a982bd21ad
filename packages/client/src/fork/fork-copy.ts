import type { Container, ContainerStore } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { TaskHandle } from '../task/task-handle.ts'
import type { ForkBase } from './fork-base.ts'
import { copySpec } from './fork-spec.ts'

/** The label of a copy that names the container that it was forked from (docs/behaviour.md §4). */
const forkedFromLabel = 'nsbox/forked-from'

/** What all copies are made of. */
export interface CopyParts {
  readonly source: Container
  readonly base: ForkBase
  /** Under a lease, as the snapshotter, that holds a snapshot until its container does. */
  readonly containers: ContainerStore
  readonly snapshotter: Snapshotter
  createTask(id: string, options: { readonly rootfs: readonly Mount[] } & AbortOptions): Promise<TaskHandle>
}

/** A copy that runs; disposing of it ends and removes it. */
export interface Copy extends AsyncDisposable {
  readonly task: TaskHandle
}

/** Makes a copy of a container with an id of its own. After an error nothing is left. */
export async function makeCopy(id: string, parts: CopyParts, { signal }: AbortOptions): Promise<Copy> {
  const { source, base, containers, snapshotter, createTask } = parts
  await using undo = new AsyncDisposableStack()
  signal?.throwIfAborted()
  // A call that makes something is waited for even after an abort: the server might still make it, and it would not be
  // removed.
  const rootfs = await base.make(id)
  undo.defer(() => snapshotter.remove(id))
  const { image, runtime, labels, extensions, sandbox } = source
  await containers.create({
    ...{ id, image, runtime, extensions, sandbox },
    labels: { ...copyLabels(labels, source.id, id), [forkedFromLabel]: source.id },
    spec: await copySpec(source.spec, source.id, id),
    snapshotter: source.snapshotter,
    snapshotKey: id,
  })
  undo.defer(() => containers.delete(id))
  const task = await createTask(id, { rootfs, signal })
  undo.defer(() => endTask(task))
  await task.start({ signal })
  const owned = undo.move()
  return { task, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Labels whose value is the container's id name the copy. */
function copyLabels(labels: Labels, from: string, to: string): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, value === from ? to : value]))
}

/** Ends and deletes a task, also one whose start is still under way. */
async function endTask(task: TaskHandle): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { status } = await task.status()
    if (status !== 'created' && status !== 'stopped') {
      await unlessEnded(task.kill('SIGKILL', { all: true }))
      await task.exit
    }
    try {
      await task.delete()
      return
    } catch (error) {
      if (!isFailedPrecondition(error) || tries === 3) throw error
    }
  }
}

async function unlessEnded(killing: Promise<void>): Promise<void> {
  try {
    await killing
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
