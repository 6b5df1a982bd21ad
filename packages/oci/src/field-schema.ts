import { quoted } from '@nsbox/errors'
import * as v from 'valibot'
import { tryParse } from './validate.ts'

/** Most fields of an object of a known kind; real ones have a dozen. */
const maxFields = 1000

/** Most keys of an object that is used as a map: the same limit as for labels of an object. */
const maxKeys = 10_240

type Output<E extends v.ObjectEntries> = Readonly<v.InferOutput<v.ObjectSchema<E, undefined>>>

/** An object with any content. */
export const anyObject = v.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'not an object',
)

/**
 * An object of a document that Go programs read as well: `null` means absent, and a key that differs from a field's
 * name only in case is refused, since Go's decoder would accept it for that field. Unknown fields are dropped.
 */
export function fields<const E extends v.ObjectEntries>(entries: E): v.GenericSchema<unknown, Output<E>> {
  return v.pipe(spelled(entries, maxFields), v.object(entries, 'is missing'))
}

/** As `fields`, but unknown fields are kept unchanged. */
export function openFields<const E extends v.ObjectEntries>(entries: E): v.GenericSchema<unknown, Output<E>> {
  const named = v.object(entries, 'is missing')
  return v.pipe(
    spelled(entries),
    // `looseObject` drops fields such as `constructor`.
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const { success, output, issues } = tryParse(named, dataset.value)
      if (success) return { ...dataset.value, ...output }
      const [{ message, path }] = issues
      addIssue({ message, ...(path && { path }) })
      return NEVER
    }),
  )
}

/** The same fields, each of which may be missing. */
export function optional<const E extends v.ObjectEntries>(entries: E) {
  return v.partial(v.object(entries)).entries
}

const fold = (key: string): string => key.toUpperCase().toLowerCase()

/** An object without known fields that are `null`. */
function spelled(entries: v.ObjectEntries, limit = Number.POSITIVE_INFINITY) {
  const names = new Map(Object.keys(entries).map((name) => [fold(name), name]))
  return v.pipe(
    anyObject,
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const refuse = (message: string) => {
        addIssue({ message })
        return NEVER
      }
      const keys = Object.keys(dataset.value)
      if (keys.length > limit) return refuse(`more than ${limit} fields`)
      // No prototype, which `__proto__` would replace.
      const result: Record<string, unknown> = Object.create(null)
      for (const key of keys) {
        const isKnown = Object.hasOwn(entries, key)
        const name = isKnown ? key : names.get(fold(key))
        if (name !== undefined && name !== key) return refuse(`key ${quoted(key)} is not spelled "${name}"`)
        const value = dataset.value[key]
        if (value !== undefined && !(isKnown && value === null)) result[key] = value
      }
      return result
    }),
  )
}

export const text = v.string('not a string')

export const boolean = v.boolean('not a boolean')

/** One of these words, which `validateSpec` checks. */
export function word<T extends string>() {
  return v.custom<T>((value) => typeof value === 'string', 'not a string')
}

export function list<const S extends v.GenericSchema>(
  entry: S,
): v.GenericSchema<unknown, readonly v.InferOutput<S>[]> {
  return v.array(entry, 'not an array')
}

/** @param limit most characters */
export function shortText(limit = 4096) {
  return v.pipe(text, v.maxLength(limit, `longer than ${limit} characters`))
}

/** An optional text. An empty one counts as absent, as in documents of Go programs. */
export function optionalText(limit?: number) {
  return v.optional(
    v.pipe(
      shortText(limit),
      v.transform((value) => value || undefined),
    ),
  )
}

/** @param limit most characters of all together */
export function texts(limit = 65_536): v.GenericSchema<unknown, readonly string[]> {
  return v.pipe(
    v.custom<readonly string[]>(areTexts, 'not an array of strings'),
    v.check((values) => lengthOf(values) <= limit, `longer than ${limit} characters`),
  )
}

/** An array whose entries are checked later, one by one. */
export function entries(limit: number) {
  return v.pipe(
    v.custom<readonly unknown[]>(Array.isArray, 'not an array'),
    v.maxLength(limit, `more than ${limit} entries`),
  )
}

/** The keys of an object that is used as a set. */
export const keys = v.pipe(
  anyObject,
  v.transform(Object.keys),
  v.maxLength(maxKeys, `more than ${maxKeys} keys`),
)

/**
 * An object that is used as a map of texts. It is returned unchanged.
 *
 * @param limit most characters of keys and values together
 */
export function textMap(
  limit = 262_144,
  mostKeys = maxKeys,
): v.GenericSchema<unknown, Readonly<Record<string, string>>> {
  return v.pipe(
    anyObject,
    v.rawTransform(({ dataset: { value }, addIssue }) => {
      const keys = Object.keys(value)
      if (keys.length > mostKeys) addIssue({ message: `more than ${mostKeys} keys` })
      const key = keys.find((each) => typeof value[each] !== 'string')
      if (key !== undefined)
        addIssue({
          message: 'not a string',
          path: [{ type: 'unknown', origin: 'value', input: value, key, value: value[key] }],
        })
      const map = value as Readonly<Record<string, string>>
      if (key === undefined && lengthOf(keys) + lengthOf(Object.values(map)) > limit)
        addIssue({ message: `longer than ${limit} characters` })
      return map
    }),
  )
}

/** As `textMap`, without a limit. */
export const anyTextMap = textMap(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)

const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

const lengthOf = (values: readonly string[]): number => values.reduce((sum, { length }) => sum + length, 0)
