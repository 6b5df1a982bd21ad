import { processStat } from '@nsbox/sys/processes'

/** `PF_EXITING` of the kernel's `include/linux/sched.h`. */
const exiting = 4

/**
 * Whether a process has ended or is certainly about to. Its end may be delayed: by a debugger that holds it, or, for
 * the first process of a pid namespace, until all others there are gone.
 */
export function hasEnded(pid: number): boolean {
  const stat = processStat(pid)
  return stat === undefined || 'ZX'.includes(stat.state) || (stat.flags & exiting) !== 0
}
