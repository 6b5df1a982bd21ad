import { Timestamp } from './timestamp.ts'
import { wallTime } from './wall-time.ts'

/** The current time, for deadlines and for records. */
export interface Clock {
  /** Milliseconds since 1970, maybe with a fraction. It goes back when the system's clock is set back. */
  now(): number

  /**
   * The time for a record, in whole microseconds. It is later than all stamps that this clock has given before, even if
   * the system's clock is set back.
   *
   * @param after another time that it must be later than, such as that of the record it replaces
   */
  stamp(after?: Timestamp): Timestamp
}

/** A clock on a source of time, in milliseconds since 1970. */
export function createClock(now: () => number): Clock {
  let last = Number.MIN_SAFE_INTEGER
  return {
    now,
    stamp(after) {
      last = Math.max(Math.floor(now() * 1000), last + 1)
      // A record from the future affects only its own times.
      const time = after === undefined ? last : Math.max(last, after.epochMicroseconds + 1)
      return Timestamp.fromEpochMicroseconds(time)
    },
  }
}

/** The one clock of the process, so that its stamps order the records of all stores. */
export const systemClock: Clock = createClock(wallTime)
