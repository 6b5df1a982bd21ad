import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** `PF_EXITING` of the kernel's `include/linux/sched.h`. */
const exiting = 4

/**
 * Whether a process has ended, or is about to and cannot be kept from it (proc_pid_stat(5)). It may stay so: one that a
 * debugger holds until that asks for it, and the first one of a pid namespace until all others there are gone.
 */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name, which may hold anything; the third is the state, the ninth the flags.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return /^[ZX]/.test(fields[0]!) || (Number(fields[6]) & exiting) !== 0
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return true
    throw error
  }
}
