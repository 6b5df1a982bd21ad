export { type Clock, createClock, systemClock } from './clock.ts'
export { Timestamp } from './timestamp.ts'
export { wallTime } from './wall-time.ts'
