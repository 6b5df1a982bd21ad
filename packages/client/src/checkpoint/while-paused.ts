import type { AbortOptions } from '@nsbox/core/content'
import type { ProcessStatus, Tasks } from '@nsbox/core/tasks'
import { errorCode, isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import { retryWhileAway } from '../task/retry-while-away.ts'

/**
 * Does something while a task is frozen, and resumes it afterwards, after a failure too. A task that was frozen before
 * stays frozen.
 *
 * @throws as `Tasks.pause` and the work; `aborted` if another client has resumed the task meanwhile. A failure to
 * resume is thrown too, together with that of the work if both fail.
 */
export async function whilePaused<T>(
  tasks: Pick<Tasks, 'get' | 'pause' | 'resume'>,
  containerId: string,
  work: () => Promise<T>,
  { signal }: AbortOptions = {},
): Promise<T> {
  const { status } = await tasks.get(containerId, { signal })
  const frozen = async () => {
    const result = await work()
    if ((await statusOf(tasks, containerId)) !== 'running') return result
    throw new NsboxError('aborted', `container ${containerId} was resumed by somebody else`)
  }
  if (status === 'paused') return await frozen()
  let result: T
  try {
    // The signal is not passed on: an aborted call may still freeze the task.
    await freeze(tasks, containerId)
    signal?.throwIfAborted()
    result = await frozen()
  } catch (cause) {
    const failure = await thaw(tasks, containerId)
    if (failure === undefined) throw cause
    const what = `${(cause as Error).message}, and container ${containerId} stays paused`
    throw new NsboxError(errorCode(cause), `${what}: ${failure.message}`, { cause })
  }
  const failure = await thaw(tasks, containerId)
  if (failure) throw failure
  return result
}

const tries = 5

/**
 * Pauses a task. On a loaded host runc gives up where a process is in vfork(2) whenever it looks; containerd's shim
 * passes that on, and nothing has changed then.
 */
async function freeze(tasks: Pick<Tasks, 'pause'>, containerId: string): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      return await tasks.pause(containerId)
    } catch (error) {
      if (left === 1 || !(error as Error).message.includes('unable to freeze')) throw error
    }
  }
}

/** @returns why a task is still frozen */
async function thaw(tasks: Pick<Tasks, 'get' | 'resume'>, containerId: string): Promise<Error | undefined> {
  try {
    await retryWhileAway(() => tasks.resume(containerId))
    return undefined
  } catch (error) {
    // Some servers refuse to resume a task that is not frozen.
    const status = await statusOf(tasks, containerId).catch(() => 'unknown' as const)
    const frozen = status === 'paused' || status === 'pausing' || status === 'unknown'
    return frozen ? (error as Error) : undefined
  }
}

async function statusOf(tasks: Pick<Tasks, 'get'>, containerId: string): Promise<ProcessStatus | 'gone'> {
  return (await undefinedIf(isNotFound, tasks.get(containerId)))?.status ?? 'gone'
}
