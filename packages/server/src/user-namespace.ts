import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import { runningSupervisors } from '@nsbox/supervisor'
import { enterUserNamespace, joinUserNamespace } from '@nsbox/sys/user-namespaces'

/**
 * Starts an ordinary user’s program again in a user namespace, where it can mount, unpack and run containers:
 * that of containers which an earlier server of the state directory left running, or else a new one. Returns for root,
 * and where it is in such a namespace already. To be called before anything is done.
 *
 * @param state a server's state directory; undefined for a temporary one
 * @returns why there is no user namespace, if there is none; only files of this user can be made then
 */
export function useUserNamespace(state: string | undefined): string | undefined {
  const supervisors = state === undefined ? [] : runningSupervisors(join(state, 'tasks', 'supervisor'))
  for (const pid of supervisors) joinUserNamespace(pid)
  try {
    enterUserNamespace()
    return undefined
  } catch (error) {
    if (isNsboxError(error) && error.code === 'failed_precondition') return error.message
    throw error
  }
}
