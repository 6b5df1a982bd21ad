import { systemCalls } from './platform.ts'
import type { PipeEnds } from './system-calls.ts'

/**
 * Makes a pipe whose ends no child process inherits unless it is handed one.
 *
 * @param capacity bytes that it should hold; the system rounds it up, and leaves a pipe as it is by default for a user
 * who may have no such pipe
 */
export function pipe(capacity: number): PipeEnds {
  return systemCalls.pipe(capacity)
}
