import { NsboxError } from '@nsbox/errors'

/** A JSON object with unknown fields. */
export interface JsonObject {
  readonly [name: string]: unknown
}

/** Parses a JSON object. @throws `invalid_argument`, with `context` */
export function parseObject(text: string, context: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${context}: ${(cause as Error).message}`, { cause })
  }
  if (isObject(value)) return value
  throw new NsboxError('invalid_argument', `${context}: no JSON object`)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
