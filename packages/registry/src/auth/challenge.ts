/** One scheme that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** By lower-case name; of duplicates the first. */
  readonly parameters: ReadonlyMap<string, string>
}

const maxChallenges = 16
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const quotedString = /"((?:[^"\\]|\\[\t\x20-\xff])*)"/y
const token68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y
const space = /[ \t]*/y
const separators = /[ \t,]*/y

/**
 * Reads the values of `WWW-Authenticate` headers (RFC 9110 §11.6.1), of which each may offer several schemes. Parsing
 * of a value ends at the first syntax error.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap((value) => [...challengesOf(value)]).slice(0, maxChallenges)
}

function* challengesOf(text: string): Generator<Challenge> {
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found
  }
  /** A parameter; undefined, with the position unchanged, if there is none. */
  const parameter = (): [string, string] | undefined => {
    const start = at
    const name = match(token)?.[0]
    match(space)
    if (name !== undefined && text[at] === '=') {
      at++
      match(space)
      const value = text[at] === '"' ? match(quotedString)?.[1]?.replace(/\\(.)/g, '$1') : match(token)?.[0]
      if (value !== undefined) return [name.toLowerCase(), value]
    }
    at = start
    return undefined
  }

  for (;;) {
    match(separators)
    const scheme = match(token)?.[0]
    if (scheme === undefined) return
    match(space)
    if (text[at] === '=') return
    const parameters = new Map<string, string>()
    for (;;) {
      const found = parameter()
      if (found) {
        if (!parameters.has(found[0])) parameters.set(found[0], found[1])
        match(separators)
      } else if (parameters.size > 0 || match(token68) === null) break
      else match(separators)
    }
    yield { scheme: scheme.toLowerCase(), parameters }
  }
}
