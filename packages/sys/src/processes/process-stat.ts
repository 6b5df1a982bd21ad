import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** Fields of a process in `/proc/<pid>/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  /** One letter, such as `R`; `Z` for a zombie, `X` for a process that is about to vanish. */
  readonly state: string
  /** The pid of its parent. */
  readonly parent: number
  /** `PF_…` of the kernel's `include/linux/sched.h`. */
  readonly flags: number
  /** Start time, by the kernel's clock: with the pid it identifies a process since the start of the system. */
  readonly startTime: string
  /** Exit status in the form of waitpid(2); 0 for readers without permission to trace it. */
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
  // The second field is the program's name, which may contain anything; numbers follow.
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
