import { closeSync, openSync } from 'node:fs'
import { isErrno, isNotFound } from '@nsbox/errors'
import type { SupervisedProcess } from '@nsbox/supervisor'

/**
 * Does something with a namespace of a process; of one that has ended, nothing.
 * @param use is given a descriptor of the namespace, for the time of the call
 */
export function withNamespace(
  process: SupervisedProcess,
  kind: 'net' | 'uts',
  use: (namespace: number) => void,
): void {
  let namespace: number
  try {
    namespace = openSync(`/proc/${process.pid}/ns/${kind}`, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return
    throw error
  }
  try {
    // As long as it can be signalled, the number is its own.
    process.signal(0)
    use(namespace)
  } catch (error) {
    if (!isNotFound(error)) throw error
  } finally {
    closeSync(namespace)
  }
}
