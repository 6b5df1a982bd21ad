import { NsboxError, quoted } from '@nsbox/errors'

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds: the range of RFC 3339 and protobuf. */
const firstSecond = -62_135_596_800
const lastSecond = 253_402_300_799

/** RFC 3339, section 5.6. */
const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/**
 * A moment to the nanosecond, in UTC, of the years 1 to 9999. Members are named as in `Temporal.Instant` where that has
 * the same; `<` and `>` compare two as they do dates.
 */
export class Timestamp {
  /** Whole seconds since 1970, rounded down. */
  readonly epochSeconds: number
  /** The fraction of the second: 0 to 999,999,999. */
  readonly nanoseconds: number

  /** 1970-01-01T00:00:00Z. */
  static readonly epoch = new Timestamp(0)

  /** @throws `invalid_argument` for parts that are no integers, or out of range */
  constructor(epochSeconds: number, nanoseconds = 0) {
    if (!Number.isInteger(epochSeconds) || epochSeconds < firstSecond || epochSeconds > lastSecond)
      throw new NsboxError('invalid_argument', `time outside of the years 1 to 9999: ${epochSeconds} seconds`)
    if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds > 999_999_999)
      throw new NsboxError('invalid_argument', `${nanoseconds} nanoseconds of a second`)
    this.epochSeconds = epochSeconds
    this.nanoseconds = nanoseconds
  }

  /** @throws `invalid_argument` for an invalid date, or one outside of the years 1 to 9999 */
  static fromDate(date: Date): Timestamp {
    return Timestamp.fromEpochMilliseconds(date.getTime())
  }

  /**
   * @param milliseconds may have a fraction, which counts to the microsecond
   * @throws `invalid_argument` for a time outside of the years 1 to 9999
   */
  static fromEpochMilliseconds(milliseconds: number): Timestamp {
    const seconds = Math.floor(milliseconds / 1000)
    // The whole milliseconds are exact; the rest is a fraction of a double.
    const whole = Math.floor(milliseconds)
    const microseconds = Math.round((milliseconds - whole) * 1000)
    return Timestamp.#ofMicroseconds(seconds, (whole - seconds * 1000) * 1000 + microseconds)
  }

  /**
   * @param microseconds an integer
   * @throws `invalid_argument` for a time outside of the years 1 to 9999
   */
  static fromEpochMicroseconds(microseconds: number): Timestamp {
    const seconds = Math.floor(microseconds / 1_000_000)
    return Timestamp.#ofMicroseconds(seconds, microseconds - seconds * 1_000_000)
  }

  static #ofMicroseconds(seconds: number, microseconds: number): Timestamp {
    if (microseconds === 1_000_000) return new Timestamp(seconds + 1)
    return new Timestamp(seconds, microseconds * 1000)
  }

  /**
   * @param text a time in the form of RFC 3339, section 5.6, with at most nine decimals
   * @throws `invalid_argument` for another text
   */
  static parse(text: string): Timestamp {
    const time = Timestamp.tryParse(text)
    if (time === undefined) throw new NsboxError('invalid_argument', `no RFC 3339 time: ${quoted(text)}`)
    return time
  }

  /** As `parse`; undefined for what that refuses. */
  static tryParse(text: string): Timestamp | undefined {
    const [, second, fraction = '', zone] = pattern.exec(text) ?? []
    const milliseconds = Date.parse(`${second}${zone}`)
    if (Number.isNaN(milliseconds)) return undefined
    const seconds = milliseconds / 1000
    if (seconds < firstSecond || seconds > lastSecond) return undefined
    return new Timestamp(seconds, Number(fraction.padEnd(9, '0')))
  }

  /** For `sort`: negative if the first is earlier, 0 for the same moment. */
  static compare(a: Timestamp, b: Timestamp): number {
    return a.epochSeconds - b.epochSeconds || a.nanoseconds - b.nanoseconds
  }

  /** Milliseconds since 1970, rounded down, as in `Date`. */
  get epochMilliseconds(): number {
    return this.epochSeconds * 1000 + Math.floor(this.nanoseconds / 1_000_000)
  }

  /** Microseconds since 1970, rounded down. Exact from 1685 to 2255, where a double can hold it. */
  get epochMicroseconds(): number {
    return this.epochSeconds * 1_000_000 + Math.floor(this.nanoseconds / 1000)
  }

  get epochNanoseconds(): bigint {
    return BigInt(this.epochSeconds) * 1_000_000_000n + BigInt(this.nanoseconds)
  }

  equals(other: Timestamp): boolean {
    return this.epochSeconds === other.epochSeconds && this.nanoseconds === other.nanoseconds
  }

  /** Rounded down to a millisecond, which never changes the order of two. */
  toDate(): Date {
    return new Date(this.epochMilliseconds)
  }

  /** In the form of RFC 3339, with as many decimals of the second as needed. */
  toString(): string {
    const second = new Date(this.epochSeconds * 1000).toISOString().slice(0, 19)
    if (this.nanoseconds === 0) return `${second}Z`
    return `${second}.${String(this.nanoseconds).padStart(9, '0').replace(/0+$/, '')}Z`
  }

  toJSON(): string {
    return this.toString()
  }

  /** For `<` and `>`. */
  valueOf(): bigint {
    return this.epochNanoseconds
  }
}
