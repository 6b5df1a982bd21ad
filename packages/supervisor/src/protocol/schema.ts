import { NsboxError } from '@nsbox/errors'
import * as v from 'valibot'

/** A text of the kernel and of the C library, which ends at a NUL. @param longest in UTF-16 code units */
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

/** A list. How long it is is looked at before what is in it. */
export function list<const Item extends v.GenericSchema>(item: Item, most: number) {
  return v.pipe(v.array(v.unknown()), v.maxLength(most), v.array(item))
}

/** Words of a command, and what variables are set to: most of what execve(2) takes for one. */
export const word = text(131_072)

export const variables = v.record(v.string(), word)

/** The name of a process. */
export const key = text(512)

/** A number that the kernel gives to processes. */
export const pid = integer(1, 2 ** 31 - 1)

/** What another process has sent, or written down. @throws `invalid_argument` for what is not as the schema has it */
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
