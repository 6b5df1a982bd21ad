import type { AbortOptions } from '@nsbox/core/content'
import type { Tasks } from '@nsbox/core/tasks'
import { errorCode, isNotFound, NsboxError } from '@nsbox/errors'
import { retryWhileAway } from '../task/retry-while-away.ts'

/**
 * Does something while a task is frozen, and lets it go on afterwards whatever comes of that. One that was frozen before
 * stays so, and one that has ended meanwhile is left alone.
 *
 * @throws as `Tasks.pause` and the work. If the task cannot be let go on, that is said besides, or by itself.
 */
export async function whilePaused<T>(
  tasks: Pick<Tasks, 'get' | 'pause' | 'resume'>,
  containerId: string,
  work: () => Promise<T>,
  { signal }: AbortOptions = {},
): Promise<T> {
  const { status } = await tasks.get(containerId, { signal })
  if (status === 'paused') return await work()
  let result: T
  try {
    // Neither this nor the end is under the signal: a call that is cut off may freeze the task all the same.
    await tasks.pause(containerId)
    signal?.throwIfAborted()
    result = await work()
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
    const frozen = await isFrozen(tasks, containerId).catch(() => true)
    return frozen ? (error as Error) : undefined
  }
}

async function isFrozen(tasks: Pick<Tasks, 'get'>, containerId: string): Promise<boolean> {
  try {
    const { status } = await tasks.get(containerId)
    return status === 'paused' || status === 'pausing'
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
