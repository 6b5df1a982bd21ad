import { NsboxError } from '@nsbox/errors'
import * as v from 'valibot'

/** A text for the kernel or the C library, where a NUL would end it. @param longest in UTF-16 code units */
export function text(longest: number) {
  return v.pipe(
    v.string(),
    v.maxLength(longest),
    v.check((value) => !value.includes('\0')),
  )
}

/** An integer from `least` to `most`. */
export function integer(least = 0, most = Number.MAX_SAFE_INTEGER) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most))
}

/** A number from `least` to `most`, with or without a fraction. */
export function number(least: number, most: number) {
  return v.pipe(v.number(), v.minValue(least), v.maxValue(most))
}

/** A list. Its length is checked before its items. */
export function list<const Item extends v.GenericSchema>(item: Item, most: number) {
  return v.pipe(v.array(v.unknown()), v.maxLength(most), v.array(item))
}

/** Words of a command, and values of variables: at most the size that execve(2) takes. */
export const word = text(131_072)

export const variables = v.record(v.string(), word)

/** The key of a process. */
export const key = text(512)

/** A pid. */
export const pid = integer(1, 2 ** 31 - 1)

/** A message or file of another process. @throws `invalid_argument` if it does not match the schema */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true })
  if (result.success) return result.output
  const path = v.getDotPath(result.issues[0])
  const what = path === null ? 'no object' : `field ${JSON.stringify(path)}`
  throw new NsboxError('invalid_argument', `message of a supervisor: ${what}`)
}
