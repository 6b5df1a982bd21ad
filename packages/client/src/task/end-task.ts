import type { AbortOptions } from '@nsbox/core/content'
import type { ProcessExit } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound, undefinedIf } from '@nsbox/errors'
import type { TaskHandle } from './task-handle.ts'

/** Milliseconds in which what has been killed must end if it cannot be thawed. */
const graceTime = 5_000

/** Kills a task, if it is alive, waits for its end, and removes it. */
export async function endTask(task: TaskHandle, { signal }: AbortOptions = {}): Promise<ProcessExit> {
  const { status } = await task.status({ signal })
  if (status !== 'stopped' && (await kill(task, signal))) {
    if (status === 'paused' || status === 'pausing') await thaw(task, signal)
    await task.finished({ signal })
  }
  return await task.delete({ signal })
}
/** Thaws frozen processes so that they can die; some runtimes do that by themselves. */
async function thaw(task: TaskHandle, signal: AbortSignal | undefined): Promise<void> {
  try {
    await task.resume({ signal })
  } catch (error) {
    const grace = AbortSignal.timeout(graceTime)
    await task.finished({ signal: signal ? AbortSignal.any([signal, grace]) : grace }).catch(() => {
      throw error
    })
  }
}

/** Kills a task; false if it has ended already, or cannot be killed before it is started and is removed as it is. */
async function kill(task: TaskHandle, signal: AbortSignal | undefined): Promise<boolean> {
  const killing = task.kill('SIGKILL', { signal }).then(() => true)
  const isEnded = (error: unknown) => isNotFound(error) || isFailedPrecondition(error)
  return (await undefinedIf(isEnded, killing)) ?? false
}
