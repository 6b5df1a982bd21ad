import { setTimeout as delay } from 'node:timers/promises'
import { processStat } from '@nsbox/sys/processes'
import { hasEnded } from './has-ended.ts'

/** `PF_FORKNOEXEC` of the kernel's `include/linux/sched.h`: forked, and no program has been executed since. */
const notExecuted = 0x40

/** Milliseconds. Some programs with runc's command line may make processes that never execute anything. */
const patience = 2_000

/** Whether a process has executed a program since it was forked, as the first one of a container does at its start. */
function hasExecuted(pid: number): boolean {
  return ((processStat(pid)?.flags ?? 0) & notExecuted) === 0
}

/**
 * Waits until a process executes its program, or has ended; for a while. runc lets a start end when the process has
 * closed all that it has open, which is a moment before that.
 */
export async function untilExecuted(pid: number): Promise<void> {
  for (const begin = performance.now(); !hasExecuted(pid) && !hasEnded(pid); await delay(1))
    if (performance.now() - begin > patience) return
}
