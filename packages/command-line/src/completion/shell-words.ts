/**
 * The words of an unfinished command line as a shell reads them, without quotes; the last one, which may be empty, is
 * the one that is being typed. What a shell would expand is left as it is.
 */
export function shellWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (const [token] of line.matchAll(/\s+|\\[\s\S]?|'[^']*'?|"(?:\\[\s\S]|[^"\\])*"?|[^\s\\'"]+/g)) {
    if (/^\s/.test(token)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + unquoted(token)
  }
  return [...words, word ?? '']
}

function unquoted(token: string): string {
  if (token.startsWith("'")) return token.replace(/^'|'$/g, '')
  if (token.startsWith('"')) return token.replace(/^"|(?<!\\)"$/g, '').replace(/\\(["\\$`])/g, '$1')
  return token.startsWith('\\') ? token.slice(1) : token
}
