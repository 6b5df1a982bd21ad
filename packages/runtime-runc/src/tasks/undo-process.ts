import { setTimeout as delay } from 'node:timers/promises'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'
import { signalAll } from '../cgroups/signal-processes.ts'
import type { Runc } from '../runc/runc.ts'
import type { TaskContext } from './task-context.ts'

const SIGKILL = 9
/** How often, each 10 ms, a cgroup's removal is tried; and after how many tries its processes are killed. */
const mostTries = 500
const grace = 100

/**
 * Removes the cgroup of a launch that failed or was interrupted; a runtime that was killed before it wrote its state
 * does not know of it. Processes of the runtime end by themselves, others are killed.
 */
export async function removeNewCgroup(
  path: string | undefined,
  { cgroups, onWarning }: Pick<TaskContext, 'cgroups' | 'onWarning'>,
): Promise<void> {
  const cgroup = path === undefined ? undefined : cgroups.named(path)
  if (cgroup === undefined) return
  try {
    for (let tries = 1; ; tries++) {
      try {
        if (tries > grace) await signalAll(cgroup, SIGKILL)
        return await cgroup.remove()
      } catch (error) {
        if (!isFailedPrecondition(error) || tries === mostTries) throw error
      }
      await delay(10)
    }
  } catch (error) {
    onWarning(`removing cgroup ${path}`, error)
  }
}

/** Removes the runtime's state of a container that was not made completely; it may be missing. */
export async function removeContainer(runc: Runc, id: string, { onWarning }: TaskContext): Promise<void> {
  try {
    await runc.delete(id, { force: true })
  } catch (error) {
    // The caller sees the error that made this necessary.
    if (!isNotFound(error)) onWarning(`removing what is left of container ${id}`, error)
  }
}
