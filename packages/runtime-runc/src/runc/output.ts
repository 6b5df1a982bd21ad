import { NsboxError } from '@nsbox/errors'
import type { JsonObject } from '@nsbox/oci'

/** Reads JSON that a command printed. @throws unknown if it is none */
export function parseOutput(command: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new NsboxError('unknown', `OCI runtime ${command} printed what is not JSON`, { cause })
  }
}

/** An object that a command printed. @throws unknown if it is none */
export function parseObject(command: string, value: unknown): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new NsboxError('unknown', `OCI runtime ${command} printed JSON of another kind`)
}

/** What `ps` prints: numbers, or `null` for none. @throws unknown */
export function parsePids(text: string): number[] {
  const value = parseOutput('ps', text) ?? []
  if (Array.isArray(value) && value.every((pid) => Number.isSafeInteger(pid) && pid > 0))
    return value as number[]
  throw new NsboxError('unknown', 'OCI runtime ps printed JSON of another kind')
}

/** What `features` prints. @throws unknown */
export function parseRuntimeFeatures(text: string): JsonObject {
  return parseObject('features', parseOutput('features', text))
}
