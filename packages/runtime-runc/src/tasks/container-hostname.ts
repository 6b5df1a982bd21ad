import { closeSync, openSync } from 'node:fs'
import { isErrno, isNotFound } from '@nsbox/errors'
import { setHostname } from '@nsbox/sys/processes'
import type { SupervisedProcess } from '../supervisor/supervisor.ts'

/**
 * Names the host for a process with a UTS namespace of its own; for one that has ended it does nothing.
 * @throws `invalid_argument` if it has none
 */
export function setContainerHostname(process: SupervisedProcess, name: string): void {
  let namespace: number
  try {
    namespace = openSync(`/proc/${process.pid}/ns/uts`, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return
    throw error
  }
  try {
    // As long as it can be signalled, the number is its own.
    process.signal(0)
    setHostname(namespace, name)
  } catch (error) {
    if (!isNotFound(error)) throw error
  } finally {
    closeSync(namespace)
  }
}
