import { availableParallelism } from 'node:os'
import { Semaphore } from '@nsbox/concurrency'

/**
 * The followers of arriving layers that a machine has threads for, while there is one left for layers that are there.
 */
export function createFollowers(): Semaphore {
  return new Semaphore(Math.max(1, availableParallelism() - 1))
}
