import { NsboxError } from '@nsbox/errors'

/** Reads the fields of an object that another process has sent. @throws `invalid_argument` for what has another type */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new NsboxError('invalid_argument', 'message of a supervisor: no object')
    this.#object = value as Record<string, unknown>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  /** @param longest in UTF-16 code units */
  string(name: string, longest: number, pattern = /^[^\0]*$/): string {
    const value = this.#object[name]
    if (typeof value !== 'string' || value.length > longest || !pattern.test(value)) this.#refuse(name)
    return value
  }

  boolean(name: string): boolean {
    const value = this.#object[name]
    if (typeof value !== 'boolean') this.#refuse(name)
    return value
  }

  /** An integer from 0 to `most`. */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#object[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
      this.#refuse(name)
    return value
  }

  object(name: string): Fields {
    if (!this.has(name)) this.#refuse(name)
    return new Fields(this.#object[name])
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined
  }

  strings(name: string, most: number): string[] {
    const value = this.#object[name]
    if (!Array.isArray(value) || value.length > most) this.#refuse(name)
    const fields = new Fields(Object.fromEntries(value.entries()))
    return value.map((_, index) => fields.string(String(index), 131_072))
  }

  counts(name: string, most: number): number[] {
    const value = this.#object[name]
    if (!Array.isArray(value) || value.length > most || !value.every((one) => Number.isSafeInteger(one)))
      this.#refuse(name)
    return value
  }

  stringMap(name: string): Record<string, string> {
    const fields = this.object(name)
    const entries = Object.keys(fields.#object).map((key) => [key, fields.string(key, 131_072)] as const)
    return Object.fromEntries(entries)
  }

  /** An object whose values are strings, numbers and booleans. */
  plain(name: string): Record<string, string | number | boolean> {
    const fields = this.object(name)
    for (const value of Object.values(fields.#object))
      if (!['string', 'number', 'boolean'].includes(typeof value)) this.#refuse(name)
    return fields.#object as Record<string, string | number | boolean>
  }

  #refuse(name: string): never {
    throw new NsboxError('invalid_argument', `message of a supervisor: field ${JSON.stringify(name)}`)
  }
}
