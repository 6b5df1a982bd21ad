import { availableParallelism } from 'node:os'
import { Semaphore } from '@nsbox/concurrency'

/** Followers of arriving layers: one less than there are processors, so that a thread is left for other layers. */
export function createFollowers(): Semaphore {
  return new Semaphore(Math.max(1, availableParallelism() - 1))
}
