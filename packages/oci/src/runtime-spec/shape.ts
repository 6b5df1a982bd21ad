import { NsboxError } from '@nsbox/errors'
import { quoted } from '../quoted.ts'

/**
 * Checks that a value has a type and gives it back, without the fields that are `null`: Go writes that for what is
 * absent. Throws `invalid_argument`, naming the field.
 */
export type Shape = (value: unknown, field: string) => unknown

/** @param field such as `spec: process.env[2]` */
export function refuse(field: string, why: string): NsboxError {
  return new NsboxError('invalid_argument', `${field}: ${why}`)
}

export const string: Shape = (value, field) => {
  if (typeof value !== 'string') throw refuse(field, 'not a string')
  return value
}

export const boolean: Shape = (value, field) => {
  if (typeof value !== 'boolean') throw refuse(field, 'not a boolean')
  return value
}

/** An integer within the bounds of 64 bits, signed or not. */
export const integer: Shape = (value, field) => {
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (!whole || (value as bigint) < -(2n ** 63n) || (value as bigint) >= 2n ** 64n)
    throw refuse(field, 'not an integer of 64 bits')
  return value
}

/** An integer of 32 bits without sign, or with one where `signed` is. */
export const integer32: Shape = (value, field) => {
  if (!Number.isSafeInteger(value) || (value as number) < -(2 ** 31) || (value as number) >= 2 ** 32)
    throw refuse(field, 'not an integer of 32 bits')
  return value
}

/** Anything; for parts that are only carried along. */
export const anything: Shape = (value) => value

export function array(of: Shape): Shape {
  return (value, field) => {
    if (!Array.isArray(value)) throw refuse(field, 'not an array')
    return value.map((entry, index) => of(entry, `${field}[${index}]`))
  }
}

/** An object with free keys. */
export function map(of: Shape): Shape {
  return (value, field) => {
    const entries = Object.entries(record(value, field))
    return Object.fromEntries(entries.map(([key, entry]) => [key, of(entry, `${field}[${quoted(key)}]`)]))
  }
}

/**
 * An object with these fields, of which the named ones must be there, and maybe others, which stay as they are. A key
 * that differs from a field's name in case alone is refused: Go's decoder, the runtime's, takes it for that field.
 */
export function object(fields: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape {
  const folded = new Map(Object.keys(fields).map((name) => [fold(name), name]))
  return (value, field) => {
    const result: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(record(value, field))) {
      const name = folded.get(fold(key))
      if (name !== undefined && name !== key)
        throw refuse(field, `key ${quoted(key)} is not spelled "${name}"`)
      if (entry === undefined || (entry === null && name !== undefined)) continue
      const at = field.endsWith(': ') ? `${field}${key}` : `${field}.${key}`
      set(result, key, name === undefined ? entry : fields[name]!(entry, at))
    }
    for (const name of required) {
      if (!Object.hasOwn(result, name))
        throw refuse(field.endsWith(': ') ? `${field}${name}` : `${field}.${name}`, 'is missing')
    }
    return result
  }
}

const fold = (key: string): string => key.toUpperCase().toLowerCase()

function record(value: unknown, field: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(field, 'not an object')
  return value
}

/** Assignment would give the object another prototype where the key is `__proto__`. */
function set(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}
