import { NsboxError } from '@nsbox/errors'

/** A JSON value as `parseStrictJson` gives it: objects have no prototype. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** A JSON value whose integers are exact. */
export type JsonWithBigIntegers =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonWithBigIntegers[]
  | { [key: string]: JsonWithBigIntegers }

const maxDepth = 32
const maxValues = 250_000
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const space = /[\t\n\r ]*/y
const literals: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/**
 * Reads JSON that decides what runs on this machine, so that no two readers can understand it differently.
 * Refused besides malformed JSON: bytes that are not UTF-8, a byte order mark, lone surrogates, an object with
 * one key twice, more than 32 levels, more than 250 000 values. Keys such as `__proto__` are keys like any other.
 *
 * @param context what is being read, for the error
 * @throws `invalid_argument`
 */
export function parseStrictJson(bytes: Uint8Array, context: string): Json
/** As above; integers that a double cannot hold are bigints. */
export function parseStrictJson(
  bytes: Uint8Array,
  context: string,
  options: { readonly bigIntegers: boolean },
): JsonWithBigIntegers
export function parseStrictJson(
  bytes: Uint8Array,
  context: string,
  { bigIntegers }: { readonly bigIntegers: boolean } = { bigIntegers: false },
): Json {
  const refuse = (why: string): NsboxError => new NsboxError('invalid_argument', `${context}: ${why}`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${context}: not UTF-8`, { cause })
  }
  if (text.startsWith('\ufeff')) throw refuse('starts with a byte order mark')
  let at = 0
  let values = 0

  const skipSpace = (): void => {
    space.lastIndex = at
    space.exec(text)
    at = space.lastIndex
  }
  const malformed = (): NsboxError => refuse(`malformed JSON at character ${at}`)
  const take = (char: string): boolean => {
    if (text[at] !== char) return false
    at++
    return true
  }

  function string(): string {
    const start = at++
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    if (at >= text.length) throw malformed()
    const token = text.slice(start, ++at)
    let value: string
    try {
      value = JSON.parse(token) as string
    } catch {
      at = start
      throw malformed()
    }
    if (/\p{Surrogate}/u.test(value)) throw refuse(`lone surrogate in the string at character ${start}`)
    return value
  }

  function object(depth: number): JsonObject {
    const result: JsonObject = Object.create(null)
    at++
    skipSpace()
    if (take('}')) return result
    for (;;) {
      skipSpace()
      if (text[at] !== '"') throw malformed()
      const keyAt = at
      const key = string()
      if (key in result) throw refuse(`key at character ${keyAt} is there twice`)
      skipSpace()
      if (!take(':')) throw malformed()
      result[key] = value(depth)
      if (take('}')) return result
      if (!take(',')) throw malformed()
    }
  }

  function array(depth: number): Json[] {
    const result: Json[] = []
    at++
    skipSpace()
    if (take(']')) return result
    for (;;) {
      result.push(value(depth))
      if (take(']')) return result
      if (!take(',')) throw malformed()
    }
  }

  function scalar(): Json {
    for (const [name, value] of literals) {
      if (text.startsWith(name, at)) {
        at += name.length
        return value
      }
    }
    numberToken.lastIndex = at
    const token = numberToken.exec(text)?.[0]
    if (token === undefined) throw malformed()
    at += token.length
    const number = Number(token)
    return bigIntegers && !Number.isSafeInteger(number) && /^-?[0-9]+$/.test(token)
      ? (BigInt(token) as unknown as number)
      : number
  }

  function value(depth: number): Json {
    if (++values > maxValues) throw refuse(`more than ${maxValues} values`)
    if (depth > maxDepth) throw refuse(`more than ${maxDepth} levels`)
    skipSpace()
    const first = text[at]
    const result =
      first === '{'
        ? object(depth + 1)
        : first === '['
          ? array(depth + 1)
          : first === '"'
            ? string()
            : scalar()
    skipSpace()
    return result
  }

  const result = value(0)
  if (at !== text.length) throw malformed()
  return result
}
