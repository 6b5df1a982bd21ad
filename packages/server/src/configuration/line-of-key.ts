import { parse } from 'smol-toml'

/** How many characters are parsed at most, which takes some tens of milliseconds. */
const maxCharacters = 2 << 20

/**
 * The line, from 1, at which a document in TOML sets a key. The parser does not tell, but the beginning of a document
 * is a document as well, unless it ends within a value: the key is in the first line with which it is there.
 *
 * @param text a document that the parser takes
 * @param steps the key, step by step
 * @returns undefined for a key that the document does not have, or that is not found with reasonable effort
 */
export function lineOfKey(text: string, steps: readonly string[]): number | undefined {
  const lines = text.split('\n')
  let characters = 0
  /** The first line from `line` on that does not end within a value, and whether the key is there by then. */
  const look = (line: number): { readonly end: number; readonly hasKey: boolean } => {
    for (let end = line; ; end++) {
      const beginning = `${lines.slice(0, end).join('\n')}\n`
      characters += beginning.length
      const document = parsed(beginning)
      if (document !== undefined || end >= lines.length || characters > maxCharacters)
        return { end, hasKey: has(document, steps) }
    }
  }
  // The key is not there after `before` lines, and is after `after`.
  let before = 0
  let after = lines.length
  if (!look(after).hasKey) return undefined
  while (after - before > 1 && characters <= maxCharacters) {
    const middle = (before + after) >> 1
    const { end, hasKey } = look(middle)
    if (hasKey) after = middle
    else before = end
  }
  return characters > maxCharacters ? undefined : after
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function has(document: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return true
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, step)) return false
  return has((document as Readonly<Record<string, unknown>>)[step], rest)
}
