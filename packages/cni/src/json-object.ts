import { NsboxError } from '@nsbox/errors'

/** An object of JSON, of which nothing is known yet. */
export interface JsonObject {
  readonly [name: string]: unknown
}

/** Reads an object of JSON. @throws `invalid_argument`, with `context` */
export function parseObject(text: string, context: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${context}: ${(cause as Error).message}`, { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new NsboxError('invalid_argument', `${context}: no JSON object`)
}
