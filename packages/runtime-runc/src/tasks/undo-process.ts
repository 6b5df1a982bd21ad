import { setTimeout as delay } from 'node:timers/promises'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'
import type { SupervisedProcess } from '@nsbox/supervisor'
import { signalAll } from '../cgroups/signal-processes.ts'
import type { Runc } from '../runc/runc.ts'
import type { TaskContext } from './task-context.ts'

const SIGKILL = 9
/** How often it is tried, each 10 ms, to remove a cgroup; and from when on what is in it is killed. */
const mostTries = 500
const grace = 100

/** Kills a process that was made in vain, and forgets it. */
export async function end(process: SupervisedProcess): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.exit
  await process.release()
}

/**
 * Removes the cgroup of a launch that failed or was interrupted, which the runtime forgets if it was killed before it
 * had written anything down. Its own processes end with it; those that do not are killed.
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

/** Removes what the runtime knows of a container that was made in part or in vain; none is fine as well. */
export async function removeContainer(runc: Runc, id: string, { onWarning }: TaskContext): Promise<void> {
  try {
    await runc.delete(id, { force: true })
  } catch (error) {
    // What made it necessary stays the error that the caller sees.
    if (!isNotFound(error)) onWarning(`removing what is left of container ${id}`, error)
  }
}
