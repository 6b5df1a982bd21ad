import { processStat } from '@nsbox/sys/processes'

/** `PF_EXITING` of the kernel's `include/linux/sched.h`. */
const exiting = 4

/**
 * Whether a process has ended, or is about to and cannot be kept from it. It may stay so: one that a debugger holds
 * until that asks for it, and the first one of a pid namespace until all others there are gone.
 */
export function hasEnded(pid: number): boolean {
  const stat = processStat(pid)
  return stat === undefined || 'ZX'.includes(stat.state) || (stat.flags & exiting) !== 0
}
