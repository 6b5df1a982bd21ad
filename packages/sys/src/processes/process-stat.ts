import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** Some of what the kernel says of a process in `/proc/<pid>/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  /**
   * One letter, such as `R`; `Z` for one that has ended and has not been waited for, `X` for one that is about to go.
   */
  readonly state: string
  /** The number of its parent. */
  readonly parent: number
  /** `PF_…` of the kernel's `include/linux/sched.h`. */
  readonly flags: number
  /**
   * When it started, by the kernel's clock: with its number it tells a process from all others since the system was
   * started.
   */
  readonly startTime: string
  /** How it ended, as waitpid(2) tells it; 0 for those who may not trace it. */
  readonly waitStatus: number
}

/** @returns undefined if there is no such process */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
  // The second field is the program's name, which may hold anything; what follows it is numbers.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => fields[number - 3]!
  return {
    state: field(3),
    parent: Number(field(4)),
    flags: Number(field(9)),
    startTime: field(22),
    waitStatus: Number(field(52)),
  }
}
