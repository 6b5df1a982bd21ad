import { readlinkSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'
import { processStat } from './process-stat.ts'

/**
 * How a process ended that was not waited for yet, whatever its parent. The caller ensures that the number is still
 * that of the process that it means.
 *
 * @returns what it returned, or 128 and the number of the signal that ended it; undefined while it runs, if it is gone,
 * or if the kernel does not tell this process
 */
export function zombieExitStatus(pid: number): number | undefined {
  if (!mayTrace(pid)) return undefined
  const stat = processStat(pid)
  if (stat?.state !== 'Z') return undefined
  const signal = stat.waitStatus & 0x7f
  return signal === 0 ? (stat.waitStatus >> 8) & 0xff : 128 + signal
}

/** The kernel shows a status of zero to those who may not trace the process, and tells them so for its namespaces. */
function mayTrace(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/mnt`)
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM')) return false
    // One that has ended has none any more.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return true
    throw error
  }
}
