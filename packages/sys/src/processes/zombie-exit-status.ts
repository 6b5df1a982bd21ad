import { readFileSync, readlinkSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/**
 * How a process ended that nobody has waited for yet, from `/proc/<pid>/stat` (proc_pid_stat(5)), whoever its parent is.
 * The caller sees to it that the number is still that of the process that it means.
 *
 * @returns what it returned, or 128 and the number of the signal that ended it; undefined while it runs, if it is gone, or
 * if the kernel does not tell this process
 */
export function zombieExitStatus(pid: number): number | undefined {
  let stat: string
  try {
    if (!mayTrace(pid)) return undefined
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
  // After the name, which may hold anything: the state, the third field, comes first; the status, the 52nd, last.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] !== 'Z') return undefined
  const status = Number(fields[49])
  const signal = status & 0x7f
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal
}

/** The kernel shows a status of zero to those who may not trace the process, and tells them so for its namespaces. */
function mayTrace(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/mnt`)
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM')) return false
    // One that has ended has none any more.
    if (isErrno(error, 'ENOENT')) return true
    throw error
  }
}
