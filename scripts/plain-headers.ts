/** What names of header fields consist of (RFC 9110, section 5.6.2). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const surroundingSpace = /^[\t\n\r ]+|[\t\n\r ]+$/g

type Init = ConstructorParameters<typeof Headers>[0]

/**
 * The `Headers` of the Fetch standard without guards, which bundles of programs have for it: nothing in them makes a `Request`
 * or `Response` of such headers. Node's own bring all of its Fetch along, 12 MB and the processor time of a third of Node's
 * start, which a client that makes one call would pay for its metadata.
 */
class PlainHeaders implements Headers {
  /** By names in lower case; only `set-cookie` has more than one value, as others are joined. */
  readonly #fields = new Map<string, string[]>()

  constructor(init: Init = {}) {
    if (typeof init !== 'object' || init === null) throw new TypeError('headers of no object')
    const fields = isIterable(init) ? init : Object.entries(init)
    for (const [name, value, ...others] of fields) {
      if (name === undefined || value === undefined || others.length > 0)
        throw new TypeError('a header field of no name and value')
      this.append(name, String(value))
    }
  }

  append(name: string, value: string): void {
    const key = checkedName(name)
    const text = checkedValue(value)
    const values = this.#fields.get(key)
    if (values === undefined) this.#fields.set(key, [text])
    else if (key === 'set-cookie') values.push(text)
    else values[0] = `${values[0]}, ${text}`
  }

  set(name: string, value: string): void {
    this.#fields.set(checkedName(name), [checkedValue(value)])
  }

  get(name: string): string | null {
    return this.#fields.get(checkedName(name))?.join(', ') ?? null
  }

  has(name: string): boolean {
    return this.#fields.has(checkedName(name))
  }

  delete(name: string): void {
    this.#fields.delete(checkedName(name))
  }

  getSetCookie(): string[] {
    return [...(this.#fields.get('set-cookie') ?? [])]
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this)
  }

  /** In the order of their names. */
  *entries(): IterableIterator<[string, string]> {
    for (const [name, values] of [...this.#fields].sort(([a], [b]) => (a < b ? -1 : 1)))
      for (const value of values) yield [name, value]
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
}

export { PlainHeaders as Headers }

function isIterable(init: NonNullable<Init>): init is string[][] | Headers {
  return Symbol.iterator in init
}

function checkedName(name: string): string {
  const text = String(name)
  if (!token.test(text)) throw new TypeError(`no name of a header field: ${JSON.stringify(text)}`)
  return text.toLowerCase()
}

function checkedValue(value: string): string {
  const text = String(value).replace(surroundingSpace, '')
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0 || code === 0x0a || code === 0x0d || code > 0xff)
      throw new TypeError(`no value of a header field: ${JSON.stringify(text)}`)
  }
  return text
}
