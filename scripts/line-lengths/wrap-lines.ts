import { isTooLong, maxLineLength } from './long-lines.ts'

type Language = 'code' | 'markdown'

/** Comment marks, and in Markdown the mark of an item; what follows them is running text. */
const starts: Readonly<Record<Language, RegExp>> = {
  code: /^\s*(?:\/\/|\*|#) +/,
  markdown: /^\s*(?:[-*] |\d+\. )?/,
}

/** How text begins that is none, or that begins a paragraph, an item or a tag of its own. */
const separate = /^(?:$|\s|[-+*#>|@]|\d+[.)] |```|biome-ignore)/

/**
 * Breaks long lines of comments, or of paragraphs in Markdown, and has the rest begin the line below, as far as that
 * goes on with it. Other lines stay as they are, code in Markdown as well.
 */
export function wrapLines(text: string, language: Language): string {
  const lines = text.split('\n')
  let isFenced = false
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    if (language === 'markdown' && /^\s*```/.test(line)) isFenced = !isFenced
    if (isFenced || !isTooLong(line)) continue
    const [, indent, only] = (language === 'code' && /^(\s*)\/\*\* (.*) \*\/$/.exec(line)) || []
    if (only !== undefined) {
      lines.splice(index, 1, `${indent}/**`, `${indent} * ${only}`, `${indent} */`)
      continue
    }
    const [start] = starts[language].exec(line) ?? []
    if (start === undefined || /^[#|]|biome-ignore/.test(line.slice(start.length))) continue
    const [first, rest] = broken(start, line.slice(start.length))
    if (rest === '') continue
    lines[index] = start + first
    const next = lines[index + 1] ?? ''
    const indented = language === 'markdown' ? ' '.repeat(start.length) : `${start}  `
    // In Markdown, a next line with the same mark is the next item.
    const below = (language === 'markdown' ? [indented] : [indented, start]).find(
      (each) => next.startsWith(each) && !separate.test(next.slice(each.length)),
    )
    if (below !== undefined) lines[index + 1] = `${below}${rest} ${next.slice(below.length)}`
    else lines.splice(index + 1, 0, (isItem(line, start, language) ? indented : start) + rest)
  }
  return lines.join('\n')
}

/** Items have what belongs to them indented. */
function isItem(line: string, start: string, language: Language): boolean {
  return language === 'markdown' || line.startsWith('- ', start.length)
}

/**
 * As much of a text as fits on the line, at least a word, and what remains; which begins with nothing that has a
 * meaning.
 */
function broken(start: string, text: string): [string, string] {
  const words = text.split(' ')
  let count = 1
  while (count < words.length && lengthOf(start, words, count + 1) <= maxLineLength) count++
  while (count > 1 && separate.test(words[count] ?? '')) count--
  return [words.slice(0, count).join(' '), words.slice(count).join(' ')]
}

function lengthOf(start: string, words: readonly string[], count: number): number {
  return [...start, ...words.slice(0, count).join(' ')].length
}
