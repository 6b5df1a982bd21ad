import { fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { DeleteResponseSchema } from '@nsbox/api/gen/runtime/task/v2/shim_pb'
import type { Bundle, TaskUses } from '@nsbox/bundle'
import type { ProcessExit } from '@nsbox/core/tasks'
import { systemClock } from '@nsbox/time'
import { removeTree } from '@nsbox/trees'
import { runShimCommand } from '../shim/shim-command.ts'
import { fromExit } from './convert.ts'
import type { ShimContext } from './shim-context.ts'
import type { TaskRecord } from './task-record.ts'

/** Milliseconds that a shim's program may take to clean up. */
const cleanupTimeout = 10_000

/** A task without its shim. */
export interface LeftTask {
  readonly bundle: Bundle
  readonly record: TaskRecord
  readonly uses: TaskUses
  readonly context: ShimContext
}

/**
 * Cleans up after a shim that has ended, by its program, and reports the end of its task if there was one.
 * @returns how the first process ended, as far as the program knows; 255 if it does not
 */
export async function cleanUpAfterShim({ bundle, record, uses, context }: LeftTask): Promise<ProcessExit> {
  const { namespace, id: containerId } = bundle
  const { onEvent, onWarning } = context
  const warn = (what: string, error: unknown) => onWarning(`task ${namespace}/${containerId}: ${what}`, error)
  let exit: ProcessExit = { exitStatus: 255, exitedAt: systemClock.stamp() }
  try {
    if (!record.isShared) exit = fromExit(await deleteByProgram({ bundle, record, context }))
  } catch (error) {
    warn('the program of its shim could not clean up', error)
  }
  const { pid } = record
  if (pid !== 0) {
    if (!record.exitTold)
      onEvent(namespace, { topic: '/tasks/exit', payload: { containerId, id: containerId, pid, ...exit } })
    onEvent(namespace, { topic: '/tasks/delete', payload: { containerId, id: '', pid, ...exit } })
  }
  try {
    await removeLeft({ bundle, record, uses })
  } catch (error) {
    warn('its bundle cannot be removed', error)
  }
  return exit
}

/** Runs a shim's program to remove what the shim has left, or was about to make. @returns how its task ended */
export async function deleteByProgram({
  bundle: { namespace, id, path: bundle },
  record: { binary },
  context: { addresses },
}: Omit<LeftTask, 'uses'>): Promise<MessageShape<typeof DeleteResponseSchema>> {
  const command = {
    binary,
    action: 'delete',
    namespace,
    id,
    bundle,
    addresses,
    timeout: cleanupTimeout,
  } as const
  return fromBinary(DeleteResponseSchema, await runShimCommand(command))
}

/** Removes the server's part of a task. */
export async function removeLeft({ bundle, record, uses }: Omit<LeftTask, 'context'>): Promise<void> {
  if (record.images !== undefined) await removeTree(record.images)
  await bundle.remove()
  uses.release()
}
