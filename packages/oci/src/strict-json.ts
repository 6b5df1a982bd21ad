import { NsboxError } from '@nsbox/errors'
import { finish, type Steps } from './steps.ts'

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
const maxNumber = 1000
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const literals: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]
const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const bracket = 0x5b
const brace = 0x7b

/**
 * Reads JSON strictly, so that no two readers can understand a document differently. Refused besides malformed JSON:
 * bytes that are not UTF-8, a byte order mark, lone surrogates, an object with one key twice, more than 32 levels, more
 * than 250 000 values, numbers of more than 1000 characters. Keys such as `__proto__` are keys like any other.
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
  return finish(new Parser(bytes, context, bigIntegers).steps())
}

/** `parseStrictJson` in steps, for documents that may be large. */
export function strictJsonSteps(bytes: Uint8Array, context: string): Steps<Json> {
  return new Parser(bytes, context, false).steps()
}

/** How many values one step reads. */
const valuesPerStep = 1000

/** An array or object whose end has not been read yet; of an object, the key whose value comes next. */
type Open =
  | { readonly array: Json[] }
  | { readonly array?: undefined; readonly object: JsonObject; key: string }

class Parser {
  readonly #text: string
  readonly #context: string
  readonly #bigIntegers: boolean
  #at = 0

  constructor(bytes: Uint8Array, context: string, bigIntegers: boolean) {
    this.#context = context
    this.#bigIntegers = bigIntegers
    try {
      this.#text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch (cause) {
      throw new NsboxError('invalid_argument', `${context}: not UTF-8`, { cause })
    }
    if (this.#text.startsWith('\ufeff')) throw this.#refuse('starts with a byte order mark')
  }

  *steps(): Steps<Json> {
    const above: Open[] = []
    let open: Open | undefined
    for (let values = 1; ; values++) {
      if (values > maxValues) throw this.#refuse(`more than ${maxValues} values`)
      if (values % valuesPerStep === 0) yield
      const first = this.#next()
      let value: Json
      if (first === bracket || first === brace) {
        this.#at++
        const empty = this.#next() === first + 2
        // The number of open arrays and objects is the depth.
        if (above.length + (open === undefined ? 0 : 1) + (empty ? 0 : 1) > maxDepth)
          throw this.#refuse(`more than ${maxDepth} levels`)
        if (!empty) {
          if (open !== undefined) above.push(open)
          open =
            first === bracket
              ? { array: [] }
              : this.#withKey({ object: Object.create(null) as JsonObject, key: '' })
          continue
        }
        this.#at++
        value = first === bracket ? [] : (Object.create(null) as JsonObject)
      } else value = first === quote ? this.#string() : this.#scalar()
      // A complete value is added to the array or object around it, which may be complete with it.
      for (;;) {
        if (open === undefined) {
          this.#next()
          if (this.#at !== this.#text.length) throw this.#malformed()
          return value
        }
        if (open.array === undefined) open.object[open.key] = value
        else open.array.push(value)
        const char = this.#next()
        this.#at++
        if (char === comma) {
          if (open.array === undefined) this.#withKey(open)
          break
        }
        if (char !== (open.array === undefined ? brace : bracket) + 2) {
          this.#at--
          throw this.#malformed()
        }
        value = open.array ?? open.object
        open = above.pop()
      }
    }
  }

  #withKey<Into extends { readonly object: JsonObject; key: string }>(into: Into): Into {
    if (this.#next() !== quote) throw this.#malformed()
    const at = this.#at
    into.key = this.#string()
    if (into.key in into.object) throw this.#refuse(`key at character ${at} is there twice`)
    if (this.#next() !== colon) throw this.#malformed()
    this.#at++
    return into
  }

  /** The next character that is not white space; NaN at the end. */
  #next(): number {
    const text = this.#text
    for (let at = this.#at; ; at++) {
      const char = text.charCodeAt(at)
      if (char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09) continue
      this.#at = at
      return char
    }
  }

  #string(): string {
    const text = this.#text
    const start = this.#at
    for (let at = start + 1; ; at++) {
      const char = text.charCodeAt(at)
      if (char === quote) {
        this.#at = at + 1
        return text.slice(start + 1, at)
      }
      if (char === backslash) return this.#escapedString(at)
      // Also false for NaN, at the end of the text.
      if (!(char >= 0x20)) throw this.#malformed()
    }
  }

  #escapedString(from: number): string {
    const text = this.#text
    let at = from
    for (let char = backslash; char !== quote; char = text.charCodeAt(at)) {
      at += char === backslash ? 2 : 1
      if (at >= text.length) throw this.#malformed()
    }
    let value: string
    try {
      value = JSON.parse(text.slice(this.#at, at + 1)) as string
    } catch {
      throw this.#malformed()
    }
    // The text was valid UTF-8, so surrogates can come from escapes only.
    if (/\p{Surrogate}/u.test(value))
      throw this.#refuse(`lone surrogate in the string at character ${this.#at}`)
    this.#at = at + 1
    return value
  }

  #scalar(): Json {
    numberToken.lastIndex = this.#at
    const token = numberToken.exec(this.#text)?.[0]
    if (token === undefined) return this.#literal()
    if (token.length > maxNumber)
      throw this.#refuse(`number of more than ${maxNumber} characters at character ${this.#at}`)
    this.#at += token.length
    const number = Number(token)
    return this.#bigIntegers && !Number.isSafeInteger(number) && /^-?[0-9]+$/.test(token)
      ? (BigInt(token) as unknown as number)
      : number
  }

  #literal(): Json {
    for (const [name, value] of literals) {
      if (!this.#text.startsWith(name, this.#at)) continue
      this.#at += name.length
      return value
    }
    throw this.#malformed()
  }

  #malformed(): NsboxError {
    return this.#refuse(`malformed JSON at character ${this.#at}`)
  }

  #refuse(why: string): NsboxError {
    return new NsboxError('invalid_argument', `${this.#context}: ${why}`)
  }
}
