import { Timestamp } from './timestamp.ts'
import { wallTime } from './wall-time.ts'

/** What time it is, for what ends at a time, and for what is noted. */
export interface Clock {
  /** Milliseconds since 1970, with or without a fraction. It goes back when the system's clock is set back. */
  now(): number

  /**
   * The time for a record, in whole microseconds. It is later than all that this clock has given before, so that what
   * was noted later has a later time, whatever happens to the system's clock.
   *
   * @param after another time that it must be later than, such as that of what it is to replace
   */
  stamp(after?: Timestamp): Timestamp
}

/** A clock that goes by a source of time, in milliseconds since 1970. */
export function createClock(now: () => number): Clock {
  let last = Number.MIN_SAFE_INTEGER
  return {
    now,
    stamp(after) {
      last = Math.max(Math.floor(now() * 1000), last + 1)
      // A record from the future moves its own times only.
      const time = after === undefined ? last : Math.max(last, after.epochMicroseconds + 1)
      return Timestamp.fromEpochMicroseconds(time)
    },
  }
}

/** The one clock of the process: records of all stores are in the order of its times. */
export const systemClock: Clock = createClock(wallTime)
