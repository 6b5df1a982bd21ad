import { create } from '@bufbuild/protobuf'
import { type Timestamp as TimestampMessage, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'

/** 0001-01-01T00:00:00Z, the zero time of Go. */
const firstSecond = -62_135_596_800

/** The protobuf message of a time; undefined stays undefined. */
export function toTimestamp(time: Timestamp): TimestampMessage
export function toTimestamp(time: Timestamp | undefined): TimestampMessage | undefined
export function toTimestamp(time: Timestamp | undefined): TimestampMessage | undefined {
  if (time === undefined) return undefined
  return create(TimestampSchema, { seconds: BigInt(time.epochSeconds), nanos: time.nanoseconds })
}

/**
 * The time of a protobuf timestamp. Undefined stays undefined, and the zero time of Go, 0001-01-01T00:00:00Z, becomes
 * undefined: servers written in Go send it for "never".
 *
 * @param field names the value in errors
 * @throws invalid_argument for nanoseconds outside of a second or a year outside of 1–9999
 */
export function fromTimestamp(
  message: Pick<TimestampMessage, 'seconds' | 'nanos'> | undefined,
  field: string,
): Timestamp | undefined {
  if (message === undefined) return undefined
  const { seconds, nanos } = message
  if (Number(seconds) === firstSecond && nanos === 0) return undefined
  try {
    return new Timestamp(Number(seconds), nanos)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${field}: no timestamp of the years 1 to 9999`, { cause })
  }
}
