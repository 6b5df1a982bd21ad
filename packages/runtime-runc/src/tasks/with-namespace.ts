import { closeSync, openSync } from 'node:fs'
import { isErrno, isNotFound } from '@nsbox/errors'
import type { SupervisedProcess } from '@nsbox/supervisor'

/**
 * Calls a function with a namespace of a process; does nothing if the process has ended.
 * @param use gets a descriptor of the namespace, which is closed afterwards
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
    // As long as the process can be signalled, its pid is not reused.
    process.signal(0)
    use(namespace)
  } catch (error) {
    if (!isNotFound(error)) throw error
  } finally {
    closeSync(namespace)
  }
}
