import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessChoice, ProcessExit, Tasks } from '@nsbox/core/tasks'
import { isUnavailable } from '@nsbox/errors'

/** Milliseconds that a server may be away. */
const patience = 30_000

/**
 * How a process ended, whatever becomes of the server meanwhile: one that goes away and comes back within half a minute
 * is asked again.
 *
 * @throws as `Tasks.wait`
 */
export async function waitForExit(
  tasks: Pick<Tasks, 'wait'>,
  containerId: string,
  options: ProcessChoice,
): Promise<ProcessExit> {
  for (let awaySince: number | undefined; ; ) {
    const asked = Date.now()
    try {
      return await tasks.wait(containerId, options)
    } catch (error) {
      if (!isUnavailable(error)) throw error
      // A connection that held for a while was no failure to come back.
      if (awaySince === undefined || Date.now() - asked > patience) awaySince = Date.now()
      if (Date.now() - awaySince > patience) throw error
    }
    await delay(100, undefined, { signal: options.signal })
  }
}
