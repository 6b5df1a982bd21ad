import { isNsboxError } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'

const tries = 5

/**
 * Freezes all processes. With cgroup v1 one that waits for its child to execute something (vfork(2)) cannot be frozen
 * once the child is; runc then tries for a while, thaws all of them and gives up, which was seen on a loaded host.
 */
export async function pauseContainer(runc: Runc, id: string): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      return await runc.pause(id)
    } catch (error) {
      if (left === 1 || !isNsboxError(error) || !error.context.includes('unable to freeze')) throw error
    }
  }
}
