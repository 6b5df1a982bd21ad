import {
  deserializeError,
  type NsboxError,
  type SerializedError,
  sentinels,
  serializeError,
} from '@nsbox/errors'
import type { Fields } from './fields.ts'

/** Most of what an error says of its context; what a client has given may be quoted in it, several times as long. */
const longestContext = 16_384

/** An error as it is sent. */
export function errorFields(error: unknown): object {
  const { code, context, details } = serializeError(error)
  return { code, context: context.slice(0, longestContext), details }
}

/** The error that was sent, with the code `unknown` for one that this build does not know. @throws `invalid_argument` */
export function readError(fields: Fields): NsboxError {
  const code = fields.string('code', 64)
  return deserializeError({
    code: Object.hasOwn(sentinels, code) ? (code as SerializedError['code']) : 'unknown',
    context: fields.string('context', longestContext),
    details: fields.plain('details'),
  })
}
