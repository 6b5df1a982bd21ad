import type { AbortOptions } from '@nsbox/core/content'
import type { ProcessStatus, Tasks } from '@nsbox/core/tasks'
import { errorCode, isNotFound, NsboxError } from '@nsbox/errors'
import { retryWhileAway } from '../task/retry-while-away.ts'

/**
 * Does something while a task is frozen, and lets it go on afterwards whatever comes of that. One that was frozen
 * before stays so, and one that has ended meanwhile is left alone.
 *
 * @throws as `Tasks.pause` and the work; `aborted` if somebody else has let the task go on meanwhile. If it cannot be
 * let go on, that is said besides, or by itself.
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
    // Neither this nor the end is under the signal: a call that is cut off may freeze the task all the same.
    await tasks.pause(containerId)
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

/** @returns why a task is still frozen */
async function thaw(tasks: Pick<Tasks, 'get' | 'resume'>, containerId: string): Promise<Error | undefined> {
  try {
    await retryWhileAway(() => tasks.resume(containerId))
    return undefined
  } catch (error) {
    // Of what is not frozen some servers refuse it.
    const status = await statusOf(tasks, containerId).catch(() => 'unknown' as const)
    const frozen = status === 'paused' || status === 'pausing' || status === 'unknown'
    return frozen ? (error as Error) : undefined
  }
}

async function statusOf(tasks: Pick<Tasks, 'get'>, containerId: string): Promise<ProcessStatus | 'gone'> {
  try {
    return (await tasks.get(containerId)).status
  } catch (error) {
    if (isNotFound(error)) return 'gone'
    throw error
  }
}
