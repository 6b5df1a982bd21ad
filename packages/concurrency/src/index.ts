export type { AbortOptions } from './abort-options.ts'
export { abortable } from './abortable.ts'
export { Coalescer } from './coalescer.ts'
export {
  runYielding,
  shouldYield,
  timeSlice,
  yieldBetween,
  yieldToEventLoop,
} from './cooperative-yielding.ts'
export { type Deferred, deferred } from './deferred.ts'
export { KeyedMutex } from './keyed-mutex.ts'
export { mapConcurrently } from './map-concurrently.ts'
export { Mutex } from './mutex.ts'
export { onAbort } from './on-abort.ts'
export { Semaphore } from './semaphore.ts'
export { SingleFlight } from './single-flight.ts'
