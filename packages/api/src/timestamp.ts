import { create } from '@bufbuild/protobuf'
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { NsboxError } from '@nsbox/errors'

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the first and last second of a protobuf timestamp. */
const firstSecond = -62_135_596_800n
const lastSecond = 253_402_300_799n

/**
 * The protobuf timestamp of a date; undefined stays undefined.
 *
 * @param field names the value in errors
 * @throws invalid_argument for an invalid date or a year outside of 1–9999
 */
export function toTimestamp(date: Date, field: string): Timestamp
export function toTimestamp(date: Date | undefined, field: string): Timestamp | undefined
export function toTimestamp(date: Date | undefined, field: string): Timestamp | undefined {
  if (date === undefined) return undefined
  const milliseconds = date.getTime()
  if (Number.isNaN(milliseconds)) throw new NsboxError('invalid_argument', `${field}: invalid date`)
  const seconds = Math.floor(milliseconds / 1000)
  checkSeconds(BigInt(seconds), field)
  return create(TimestampSchema, {
    seconds: BigInt(seconds),
    nanos: (milliseconds - seconds * 1000) * 1_000_000,
  })
}

/**
 * The date of a protobuf timestamp, rounded down to a millisecond, so that two timestamps never change their
 * order. Undefined stays undefined, and the zero time of Go, 0001-01-01T00:00:00Z, becomes undefined: servers
 * written in Go send it for "never".
 *
 * @param field names the value in errors
 * @throws invalid_argument for nanoseconds outside of a second or a year outside of 1–9999
 */
export function fromTimestamp(
  timestamp: Pick<Timestamp, 'seconds' | 'nanos'> | undefined,
  field: string,
): Date | undefined {
  if (timestamp === undefined) return undefined
  const { seconds, nanos } = timestamp
  checkSeconds(seconds, field)
  if (nanos < 0 || nanos > 999_999_999) {
    throw new NsboxError('invalid_argument', `${field}: ${nanos} nanoseconds in a timestamp`)
  }
  if (seconds === firstSecond && nanos === 0) return undefined
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000))
}

function checkSeconds(seconds: bigint, field: string): void {
  if (seconds < firstSecond || seconds > lastSecond) {
    throw new NsboxError('invalid_argument', `${field}: timestamp outside of the years 1 to 9999`)
  }
}
