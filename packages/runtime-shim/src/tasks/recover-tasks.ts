import { type Bundle, readBundleLog, refuseNewer, TaskUses } from '@nsbox/bundle'
import type { Process } from '@nsbox/core/tasks'
import { isNotFound, isUnavailable } from '@nsbox/errors'
import { connectShim, type ShimConnection } from '../shim/shim-connection.ts'
import { fromState } from './convert.ts'
import { cleanUpAfterShim, type LeftTask, removeLeft } from './left-task.ts'
import type { ShimContext } from './shim-context.ts'
import { ShimTask } from './shim-task.ts'
import { leftBootstrap, readTask, type TaskRecord } from './task-record.ts'

/** Milliseconds that a shim may take to answer. */
const answerTimeout = 5000

/**
 * Connects to the shims of an earlier process. What that process had not completed is undone: no client was told of it.
 * A task that cannot be taken over does not prevent others.
 *
 * @param add takes each task
 * @throws `failed_precondition`, before anything is changed, if a newer program has written the record of one
 */
export async function recoverTasks(context: ShimContext, add: (task: ShimTask) => void): Promise<void> {
  const bundles = context.bundles.list()
  refuseNewer(bundles.map((bundle) => () => readTask(bundle)))
  const inUse = new Set<string>()
  await Promise.all(
    bundles.map(async (bundle) => {
      try {
        const record = readTask(bundle)
        // A task that cannot be taken over keeps the paths that it uses.
        const uses = TaskUses.resume(bundle.namespace, context.uses, record?.uses ?? [])
        if (record?.images !== undefined) inUse.add(record.images)
        if (record === undefined) {
          await bundle.remove()
          return
        }
        const task = await recover({ bundle, record, uses, context })
        if (task !== undefined) add(task)
      } catch (error) {
        context.onWarning(`recovering task ${bundle.namespace}/${bundle.id}`, error)
      }
    }),
  )
  await context.images.clear(inUse)
}

async function recover({ bundle, record, uses, context }: LeftTask): Promise<ShimTask | undefined> {
  const { namespace, id } = bundle
  const left = { bundle, record, uses, context }
  const connection = await reconnected(bundle, record)
  if (connection === undefined) {
    await cleanUpAfterShim(left)
    return undefined
  }
  const log = readBundleLog(bundle.logFifo, (line) => context.onLog(line, { namespace, id }))
  const task = new ShimTask({ ...left, connection, log })
  const state = await stateOf(task)
  if (record.pid === 0 || state === undefined) {
    await task.undo()
    await removeLeft(left)
    return undefined
  }
  const { status, exit, pid } = state
  if (status === 'stopped' && exit !== undefined && !record.exitTold) {
    task.change({ exitTold: true })
    context.onEvent(namespace, { topic: '/tasks/exit', payload: { containerId: id, id, pid, ...exit } })
  }
  task.follow()
  return task
}

/** Undefined if the shim has no such task: it was deleted, or never made. */
async function stateOf(task: ShimTask): Promise<Process | undefined> {
  const { id } = task
  try {
    const state = await task.call((shim) => shim.state({ id }, { timeoutMs: answerTimeout }))
    return fromState({ containerId: id, execId: '' }, state)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Undefined if the shim has ended. */
async function reconnected(bundle: Bundle, record: TaskRecord): Promise<ShimConnection | undefined> {
  const bootstrap = record.bootstrap ?? leftBootstrap(bundle)
  if (bootstrap === undefined) return undefined
  try {
    return await connectShim(bootstrap, { signal: AbortSignal.timeout(answerTimeout) })
  } catch (error) {
    // There is no socket, or no listener.
    if (isNotFound(error) || isUnavailable(error)) return undefined
    throw error
  }
}
