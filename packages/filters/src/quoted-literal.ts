import { parseError } from './parse-error.ts'

/** Number of digits and base of a numeric escape, by the character after the backslash. */
const numeric: Readonly<Record<string, { digits: number; base: 8 | 16; max: number }>> = {
  x: { digits: 2, base: 16, max: 0xff },
  u: { digits: 4, base: 16, max: 0x10ffff },
  U: { digits: 8, base: 16, max: 0x10ffff },
}
const octal = { digits: 3, base: 8, max: 0xff } as const

const single: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/** A quoted literal: where it ends, and its value. */
export interface QuotedLiteral {
  /** Position after the closing quote. */
  readonly end: number
  /** Decodes the escapes. Separate from scanning, because the parser may refuse the quote first. */
  value(): string
}

/**
 * Reads the literal whose opening quote, whichever character that is, stands at `start`. Escapes are those of Go's
 * interpreted strings; besides the backslash only the quote itself is escaped. `\x` and octal escapes are bytes of
 * UTF-8.
 *
 * @throws `invalid_argument`
 */
export function readQuotedLiteral(text: string, start: number): QuotedLiteral {
  const quote = text[start] as string
  const fail = (why: string): never => {
    throw parseError(text, start, why)
  }
  const pieces: (string | number)[] = []
  let tooLarge = false
  let at = start + 1
  let plain = at
  for (;;) {
    const char = text[at]
    if (char === undefined || char === '\n') fail('quoted literal not terminated')
    if (char === quote) break
    if (char !== '\\') {
      at++
      continue
    }
    pieces.push(text.slice(plain, at))
    const name = text[at + 1] ?? ''
    const replacement = name === quote ? quote : Object.hasOwn(single, name) ? single[name] : undefined
    if (replacement !== undefined) {
      pieces.push(replacement)
      at += 2
    } else {
      const isOctal = /^[0-7]$/.test(name)
      const kind = isOctal ? octal : Object.hasOwn(numeric, name) ? numeric[name] : undefined
      if (kind === undefined) throw fail('illegal escape sequence')
      const from = at + (isOctal ? 1 : 2)
      at = from + kind.digits
      const digits = text.slice(from, at)
      if (
        !(kind.base === 8 ? /^[0-7]{3}$/ : /^(?:[0-9a-fA-F]{2}){1,4}$/).test(digits) ||
        digits.length < kind.digits
      )
        fail('illegal numeric escape sequence')
      const value = Number.parseInt(digits, kind.base)
      if (value > kind.max) tooLarge = true
      else if (name !== 'u' && name !== 'U') pieces.push(value)
      else pieces.push(value >= 0xd800 && value <= 0xdfff ? '\ufffd' : String.fromCodePoint(value))
    }
    plain = at
  }
  pieces.push(text.slice(plain, at))
  return {
    end: at + 1,
    value: () => (tooLarge ? fail('unquoting failed: quote syntax error') : decode(pieces)),
  }
}

/** Joins text and single bytes; a byte that is not part of valid UTF-8 becomes U+FFFD. */
function decode(pieces: readonly (string | number)[]): string {
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('')
  const encoder = new TextEncoder()
  const chunks = pieces.map((piece) =>
    typeof piece === 'string' ? encoder.encode(piece) : Uint8Array.of(piece),
  )
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
