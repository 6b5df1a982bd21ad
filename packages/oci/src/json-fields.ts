import { NsboxError } from '@nsbox/errors'
import { quoted } from './quoted.ts'
import type { Json, JsonObject } from './strict-json.ts'

/**
 * Typed access to the fields of an object in a foreign JSON document. Absent and `null` mean the same, as Go programs
 * write it. Every method throws `invalid_argument`, naming document and field, for a value of another type.
 */
export interface JsonFields {
  /** What the object is called in errors, such as `manifest sha256:…: layers[3]`. */
  readonly context: string
  has(name: string): boolean
  string(name: string, limit?: number): string | undefined
  strings(name: string, limit?: number): string[] | undefined
  number(name: string): number | undefined
  object(name: string, known: readonly string[]): JsonFields | undefined
  /** The entries of an array, checked one by one as they are read. */
  objects(name: string, known: readonly string[], limit: number): Iterable<JsonFields> | undefined
  /** An object used as a map, with free keys; at most 10,240 of them, and `limit` characters in all. No prototype. */
  stringMap(name: string, limit?: number): Record<string, string> | undefined
  /** The keys of an object used as a set. */
  keys(name: string): string[] | undefined
  refuse(why: string): NsboxError
}

const fold = (key: string): string => key.toUpperCase().toLowerCase()

/** Most fields that an object of a known kind may have; real ones have a dozen. */
const maxFields = 1000

/** Most keys that an object may have which is used as a map: as many as an object of a store may have labels. */
const maxKeys = 10_240

/** The known names by their folded form, for each list of names. */
const foldedNames = new WeakMap<readonly string[], ReadonlyMap<string, string>>()

function foldedOf(known: readonly string[]): ReadonlyMap<string, string> {
  let folded = foldedNames.get(known)
  if (folded === undefined) {
    folded = new Map(known.map((name) => [fold(name), name]))
    foldedNames.set(known, folded)
  }
  return folded
}

/**
 * @param known the field names that this kind of object has. A key that differs from one of them in case alone is
 * refused: Go's decoder takes it for that field, so the same document would say two things to two readers.
 */
export function jsonFields(value: Json | undefined, context: string, known: readonly string[]): JsonFields {
  const refuse = (why: string): NsboxError => new NsboxError('invalid_argument', `${context}: ${why}`)
  if (!isObject(value)) throw refuse('not an object')
  const keys = Object.keys(value)
  if (keys.length > maxFields) throw refuse(`more than ${maxFields} fields`)
  const folded = foldedOf(known)
  for (const key of keys) {
    if (known.includes(key)) continue
    const name = folded.get(fold(key))
    if (name !== undefined && name !== key) throw refuse(`key ${quoted(key)} is not spelled "${name}"`)
  }
  const get = (name: string): Json | undefined =>
    (Object.hasOwn(value, name) ? value[name] : undefined) ?? undefined

  function typed<T extends Json>(name: string, is: (value: Json) => value is T, kind: string): T | undefined {
    const field = get(name)
    if (field === undefined) return undefined
    if (!is(field)) throw refuse(`"${name}" is not ${kind}`)
    return field
  }

  return {
    context,
    refuse,
    has: (name) => get(name) !== undefined,
    string(name, limit = 4096) {
      const field = typed(name, isString, 'a string')
      if (field !== undefined && field.length > limit)
        throw refuse(`"${name}" is longer than ${limit} characters`)
      return field
    },
    strings(name, limit = 65_536) {
      const field = typed(name, isArray, 'an array')
      if (field === undefined) return undefined
      if (!field.every(isString)) throw refuse(`"${name}" is not an array of strings`)
      if (total(field) > limit) throw refuse(`"${name}" is longer than ${limit} characters`)
      return field
    },
    number: (name) => typed(name, isNumber, 'a number'),
    object(name, known) {
      const field = typed(name, isObject, 'an object')
      return field && jsonFields(field, `${context}: ${name}`, known)
    },
    objects(name, known, limit) {
      const field = typed(name, isArray, 'an array')
      if (field === undefined) return undefined
      if (field.length > limit) throw refuse(`"${name}" has more than ${limit} entries`)
      return entries(field, `${context}: ${name}`, known)
    },
    stringMap(name, limit = 262_144) {
      const field = typed(name, isObject, 'an object')
      if (field === undefined) return undefined
      if (Object.keys(field).length > maxKeys) throw refuse(`"${name}" has more than ${maxKeys} keys`)
      if (!Object.values(field).every(isString)) throw refuse(`"${name}" has a value that is not a string`)
      if (total(Object.keys(field)) + total(Object.values(field) as string[]) > limit)
        throw refuse(`"${name}" is longer than ${limit} characters`)
      return field as Record<string, string>
    },
    keys(name) {
      const field = typed(name, isObject, 'an object')
      const keys = field && Object.keys(field)
      if (keys !== undefined && keys.length > maxKeys) throw refuse(`"${name}" has more than ${maxKeys} keys`)
      return keys
    },
  }
}

function* entries(array: readonly Json[], context: string, known: readonly string[]): Generator<JsonFields> {
  for (const [index, entry] of array.entries()) yield jsonFields(entry, `${context}[${index}]`, known)
}

const isString = (value: Json): value is string => typeof value === 'string'
const isNumber = (value: Json): value is number => typeof value === 'number'
const isArray = (value: Json): value is Json[] => Array.isArray(value)
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const total = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0)
