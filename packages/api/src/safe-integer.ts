import { NsboxError } from '@nsbox/errors'

/**
 * A 64-bit integer of a message as a number.
 *
 * @param field names the value in errors
 * @throws invalid_argument beyond ±(2^53 − 1), where a number would not be exact
 */
export function toSafeNumber(value: bigint, field: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new NsboxError('invalid_argument', `${field}: ${value} is not a safe integer`)
}

/**
 * A number as a 64-bit integer for a message.
 *
 * @param field names the value in errors
 * @throws invalid_argument for a fraction, an infinity, NaN, or a number beyond ±(2^53 − 1)
 */
export function toBigInt(value: number, field: string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value)
  throw new NsboxError('invalid_argument', `${field}: ${value} is not a safe integer`)
}
