import { availableParallelism } from 'node:os'
import { mapConcurrently } from '@nsbox/concurrency'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Mount } from '@nsbox/core/snapshots'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { isNotFound, isNsboxError, NsboxError, undefinedIf } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { CheckpointStores } from '../checkpoint/checkpoint-stores.ts'
import { forkBase } from '../fork/fork-base.ts'
import { captureContainer } from '../fork/fork-capture.ts'
import { type CopyParts, makeCopy } from '../fork/fork-copy.ts'
import { copyIds, type ForkOptions } from '../fork/fork-options.ts'
import { restoreOptions } from '../fork/fork-restore-options.ts'
import type { StdioOptions } from '../task/stdio-options.ts'
import type { TaskHandle } from '../task/task-handle.ts'

/** What a fork works with. */
interface ForkParts {
  readonly stores: CheckpointStores
  createTask(id: string, options: CopyTaskOptions): Promise<TaskHandle>
}

interface CopyTaskOptions extends StdioOptions, AbortOptions {
  readonly rootfs: readonly Mount[]
  readonly options: OpaqueValue
}

/** See `ContainerHandle.fork`. */
export async function forkContainer(
  source: string,
  { stores, createTask }: ForkParts,
  options: ForkOptions,
): Promise<TaskHandle[]> {
  const { stdio, directory, atOnce: concurrency = 2 * availableParallelism(), signal } = options
  const ids = copyIds(source, options)
  const container = await forkableContainer(source, stores, { signal })
  await requireLive(source, stores, { signal })
  for (const id of ids) await refuseExisting(id, stores, { signal })
  await using lease = await stores.createLease({ signal })
  const { containers, applier } = lease.client
  const snapshotter = lease.client.snapshotter(container.snapshotter)
  const snapshot = await snapshotter.stat(container.snapshotKey, { signal })
  await using capture = await captureContainer(container, {
    ...{ tasks: stores.tasks, stores: lease.client, snapshot, directory, signal },
  })
  const copyParts: CopyParts = {
    ...{ source: container, containers, snapshotter },
    base: await forkBase(snapshot, capture.layer, { applier, snapshotter, signal }),
    createTask: (id, task) => {
      const runtime = restoreOptions(container.runtime, capture.images)
      return createTask(id, { output: 'ignore', ...stdio?.(id), ...task, options: runtime })
    },
  }
  await using copies = new AsyncDisposableStack()
  const make = async (id: string, stop: AbortSignal) => {
    try {
      return copies.use(await makeCopy(id, copyParts, { signal: stop })).task
    } catch (error) {
      throw stop.aborted ? error : inContext(`copy ${id} of container ${source}`, error)
    }
  }
  const tasks = await mapConcurrently(ids, make, { concurrency, signal })
  copies.move()
  return tasks
}

async function forkableContainer(
  id: string,
  { containers }: Pick<CheckpointStores, 'containers'>,
  options: AbortOptions,
): Promise<Container> {
  const container = await containers.get(id, options)
  if (container.snapshotKey !== '') return container
  throw new NsboxError(
    'failed_precondition',
    `container ${id} has no snapshot, so that its copies could not have files of their own`,
  )
}

async function requireLive(
  id: string,
  { tasks }: Pick<CheckpointStores, 'tasks'>,
  options: AbortOptions,
): Promise<void> {
  const { status } = await tasks.get(id, options)
  if (status === 'running' || status === 'paused') return
  throw new NsboxError('failed_precondition', `container ${id} is ${status}, not running or paused`)
}

async function refuseExisting(
  id: string,
  { containers }: Pick<CheckpointStores, 'containers'>,
  options: AbortOptions,
): Promise<void> {
  if (await undefinedIf(isNotFound, containers.get(id, options)))
    throw new NsboxError('already_exists', `container ${id}`)
}

function inContext(context: string, error: unknown): unknown {
  if (!isNsboxError(error)) return error
  return new NsboxError(error.code, `${context}: ${error.context}`, { cause: error })
}
