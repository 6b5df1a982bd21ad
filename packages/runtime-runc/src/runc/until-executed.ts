import { setTimeout as delay } from 'node:timers/promises'
import { processStat } from '@nsbox/sys/processes'
import { hasEnded } from './has-ended.ts'

/** `PF_FORKNOEXEC` of the kernel's `include/linux/sched.h`: forked, and no program executed since. */
const notExecuted = 0x40

/** Milliseconds. Some programs with runc's command line may make processes that never execute anything. */
const patience = 2_000

/** Whether a process has executed a program since it was forked. */
export function hasExecuted(pid: number): boolean {
  return ((processStat(pid)?.flags ?? 0) & notExecuted) === 0
}

/**
 * Waits until a process executes its program, or has ended, but not for ever. `runc start` ends when the process has
 * closed all that it has open, a moment before.
 */
export async function untilExecuted(pid: number): Promise<void> {
  for (const begin = performance.now(); !hasExecuted(pid) && !hasEnded(pid); await delay(1))
    if (performance.now() - begin > patience) return
}
