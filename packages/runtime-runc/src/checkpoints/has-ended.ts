import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** Whether a process has ended, also one that nobody has waited for, such as one that a debugger holds (proc_pid_stat(5)). */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name, which may hold anything.
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return true
    throw error
  }
}
