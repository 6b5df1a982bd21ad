import { NsboxError, quoted } from '@nsbox/errors'
import * as v from 'valibot'
import type { Steps } from './steps.ts'

/**
 * `safeParse`, up to the first thing that is wrong, since there could be a hundred thousand. The library's own messages
 * are replaced, since they quote foreign text.
 */
export function tryParse<const S extends v.GenericSchema>(schema: S, value: unknown): v.SafeParseResult<S> {
  return v.safeParse(schema, value, { abortEarly: true, message: ({ expected }) => `expected ${expected}` })
}

/**
 * Checks a foreign value against a schema, up to its first fault.
 *
 * @param context what the value is, for the error, such as `manifest sha256:…`
 * @param at where in that it stands, such as `layers[3]`
 * @throws `invalid_argument`, naming the field: `manifest sha256:…: layers[3].size: invalid size -1`
 */
export function validate<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  context: string,
  at = '',
): v.InferOutput<S> {
  const { success, output, issues } = tryParse(schema, value)
  if (success) return output
  const field = (issues[0].path ?? []).reduce(pathOf, at)
  throw refuse(field === '' ? context : `${context}: ${field}`, issues[0].message)
}

/** As `validate`, for the entries of an array, each in a step of its own. */
export function* validateEachSteps<const S extends v.GenericSchema>(
  schema: S,
  values: readonly unknown[],
  context: string,
  at = '',
): Steps<v.InferOutput<S>[]> {
  const outputs: v.InferOutput<S>[] = []
  for (const value of values) {
    outputs.push(validate(schema, value, context, `${at}[${outputs.length}]`))
    yield
  }
  return outputs
}

/** @param field such as `spec: process.env[2]` */
export function refuse(field: string, why: string): NsboxError {
  return new NsboxError('invalid_argument', `${field}: ${why}`)
}

function pathOf(above: string, { type, key }: v.IssuePathItem): string {
  if (type === 'array') return `${above}[${key}]`
  // Keys of maps, and those that no schema knows, are foreign text.
  if (type !== 'object' || !/^[\w.]{1,64}$/.test(String(key))) return `${above}[${quoted(key)}]`
  return above === '' ? String(key) : `${above}.${key}`
}
