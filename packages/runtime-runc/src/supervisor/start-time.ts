import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/**
 * When a process started, by the kernel's clock (proc_pid_stat(5)): with its number it tells a process from all others
 * since the system was started.
 * @returns undefined if there is no such process
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name, which may hold anything; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
}
