import { isNsboxError } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'

const tries = 5

/**
 * Freezes all processes. With cgroup v1, a process in vfork(2) cannot be frozen while its child is. runc then tries for
 * a while, thaws all of them and gives up, which happens on a loaded host.
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
