import { readlinkSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'
import { processStat } from './process-stat.ts'

/**
 * The exit status of a zombie, which need not be a child. The caller ensures that the pid has not been reused.
 *
 * @returns its exit status, or 128 plus the number of the signal that ended it; undefined while it runs, if it is gone,
 * or if the kernel does not show it to this process
 */
export function zombieExitStatus(pid: number): number | undefined {
  if (!mayTrace(pid)) return undefined
  const stat = processStat(pid)
  if (stat?.state !== 'Z') return undefined
  const signal = stat.waitStatus & 0x7f
  return signal === 0 ? (stat.waitStatus >> 8) & 0xff : 128 + signal
}

/** The kernel shows a status of zero to processes that may not trace this one, and refuses them its namespaces. */
function mayTrace(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/mnt`)
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM')) return false
    // A zombie has no namespaces any more.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return true
    throw error
  }
}
