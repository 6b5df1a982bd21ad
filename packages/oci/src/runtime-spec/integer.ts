import * as v from 'valibot'

/** An integer of the specification's, a bigint if a double cannot hold it. */
export type Integer = number | bigint

/** An integer within the bounds of 64 bits, signed or not. */
export const integer = v.custom<Integer>(
  (value) =>
    (typeof value === 'bigint' || Number.isSafeInteger(value)) &&
    (value as Integer) >= -(2n ** 63n) &&
    (value as Integer) < 2n ** 64n,
  'not an integer of 64 bits',
)

/** An integer within the bounds of 32 bits, signed or not. */
export const integer32 = v.custom<number>(
  (value) => Number.isSafeInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 32,
  'not an integer of 32 bits',
)
