import {
  deserializeError,
  type NsboxError,
  type SerializedError,
  sentinels,
  serializeError,
} from '@nsbox/errors'
import * as v from 'valibot'
import { text } from './schema.ts'

/** Longest context of an error; it may quote the client's input, escaped to several times its length. */
const longestContext = 16_384

export const errorFields = v.object({
  code: text(64),
  context: text(longestContext),
  details: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
})

/** An error in a message. */
export type ErrorFields = v.InferOutput<typeof errorFields>

export function toErrorFields(error: unknown): ErrorFields {
  const { code, context, details } = serializeError(error)
  return { code, context: context.slice(0, longestContext), details }
}

/** The error in a message; its code is `unknown` if this build does not know it. */
export function fromErrorFields({ code, ...rest }: ErrorFields): NsboxError {
  const known = Object.hasOwn(sentinels, code)
  return deserializeError({ code: known ? (code as SerializedError['code']) : 'unknown', ...rest })
}
