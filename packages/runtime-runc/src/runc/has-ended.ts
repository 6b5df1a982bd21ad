import { processStat } from '@nsbox/sys/processes'

/** `PF_EXITING` of the kernel's `include/linux/sched.h`. */
const exiting = 4

/**
 * Whether a process has ended or is certain to end. Its end may be delayed: by a debugger, or, for the first process of
 * a pid namespace, until all others in it have been waited for.
 */
export function hasEnded(pid: number): boolean {
  const stat = processStat(pid)
  return stat === undefined || 'ZX'.includes(stat.state) || (stat.flags & exiting) !== 0
}
