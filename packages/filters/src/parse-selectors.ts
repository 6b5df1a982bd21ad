import { parseError } from './parse-error.ts'
import { readQuotedLiteral } from './quoted-literal.ts'

/** One condition of a filter. */
export type Selector =
  | { readonly path: readonly string[]; readonly operator: 'present' }
  | { readonly path: readonly string[]; readonly operator: '==' | '!=' | '~='; readonly value: string }

const space = /\p{White_Space}*/uy
const fieldName = /[A-Za-z0-9_]+/y
const operatorRun = /[=!~]+/y
/** A bare value may begin with any character that has no meaning in the grammar; the others must be visible. */
const bareValue = /[^.,"/|=!~](?:(?!,)[\p{L}\p{M}\p{N}\p{P}\p{S}])*/uy
const quotes = '"/|'
const isQuote = (char: string | undefined): char is string => char !== undefined && quotes.includes(char)

/**
 * The grammar of docs/behaviour.md §2 in full:
 *
 *     filter   := selector *( "," selector )
 *     selector := path [ operator value ]
 *     path     := field *( "." field )          field := [A-Za-z0-9_]+ | "…"
 *     operator := "==" | "!=" | "~="
 *     value    := bare | "…"                    after ~= also /…/ and |…|
 *
 * White space may stand before fields, operators and values, not before a dot or comma or at the end.
 *
 * @throws `invalid_argument`
 */
export function parseSelectors(text: string): Selector[] {
  let at = 0
  const fail = (position: number, why: string): never => {
    throw parseError(text, position, why)
  }

  function take(pattern: RegExp): string {
    pattern.lastIndex = at
    const token = pattern.exec(text)?.[0] ?? ''
    at += token.length
    return token
  }

  function quoted(allowed: string): string | undefined {
    const quote = text[at]
    if (!isQuote(quote)) return undefined
    const start = at
    const literal = readQuotedLiteral(text, start)
    if (!allowed.includes(quote)) fail(start, 'invalid quote encountered')
    at = literal.end
    return literal.value()
  }

  function field(): string {
    take(space)
    return quoted('"') ?? (take(fieldName) || fail(at, 'expected field or quoted'))
  }

  function selector(): Selector {
    const path = [field()]
    while (text[at] === '.') {
      at++
      path.push(field())
    }
    if (at === text.length || text[at] === ',') return { path, operator: 'present' }
    take(space)
    const start = at
    const operator = take(operatorRun)
    // An invalid literal is reported before one in the wrong place.
    if (operator === '' && isQuote(text[at])) readQuotedLiteral(text, at)
    if (operator === '') fail(at, 'expected an operator ("=="|"!="|"~=")')
    if (operator !== '==' && operator !== '!=' && operator !== '~=')
      throw fail(start, `unsupported operator ${JSON.stringify(operator.slice(0, 32))}`)
    take(space)
    const value =
      quoted(operator === '~=' ? quotes : '"') ?? (take(bareValue) || fail(at, 'expected value or quoted'))
    return { path, operator, value }
  }

  const selectors = [selector()]
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) as number)
    if (char !== ',') fail(at, `unexpected input: ${char}`)
    at++
    selectors.push(selector())
  }
  return selectors
}
