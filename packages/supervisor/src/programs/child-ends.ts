import { isMainThread } from 'node:worker_threads'
import { type ChildEnd, reapEndedChild } from '@nsbox/sys/processes'

/** Milliseconds between polls in worker threads, which get no signals. */
const lookEvery = 10

const waiting = new Map<number, (end: ChildEnd) => void>()
let looking: NodeJS.Timeout | undefined
let listening = false

/**
 * The end of a child that `spawnProgram` has started in this turn of the event loop, so that its pid is not reused
 * before.
 */
export function childEnd(pid: number): Promise<ChildEnd> {
  const end = new Promise<ChildEnd>((resolve) => waiting.set(pid, resolve))
  if (!isMainThread) looking ??= setInterval(look, lookEvery)
  else if (!listening) {
    process.on('SIGCHLD', look)
    listening = true
    // It may have ended before the listener was added.
    look()
  }
  return end
}

/** Waits for these children only: others are Node's. */
function look(): void {
  for (const [pid, resolve] of waiting) {
    const end = reapEndedChild(pid)
    if (end === undefined) continue
    waiting.delete(pid)
    resolve(end)
  }
  if (waiting.size > 0) return
  clearInterval(looking)
  looking = undefined
}
