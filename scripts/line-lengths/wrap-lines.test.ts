import { expect, test } from 'vitest'
import { wrapLines } from './wrap-lines.ts'

const words = (count: number, word = 'word') => Array.from({ length: count }, () => word).join(' ')

test('what does not fit begins the next line of a comment, and a line of its own at its end', () => {
  const text = `  // ${words(25)}\n  // end\n  code()\n// ${words(24)}\ncode()`
  expect(wrapLines(text, 'code')).toBe(
    `  // ${words(23)}\n  // word word end\n  code()\n// ${words(23)}\n// word\ncode()`,
  )
})

test('a comment of one line becomes a block, and what goes on with a tag or an item keeps its indentation', () => {
  expect(wrapLines(`  /** ${words(24)} */`, 'code')).toBe(`  /**\n   * ${words(23)}\n   * word\n   */`)
  expect(wrapLines(` * @param ${words(24)}\n * @returns it`, 'code')).toBe(
    ` * @param ${words(22)}\n * word word\n * @returns it`,
  )
  expect(wrapLines(` * @param ${words(23)}\n *   goes on`, 'code')).toBe(
    ` * @param ${words(22)}\n *   word goes on`,
  )
  expect(wrapLines(` * - ${words(24)}`, 'code')).toBe(` * - ${words(23)}\n *   word`)
})

test('items of Markdown are indented, and no line begins with what has a meaning', () => {
  const text = `- ${words(23)} - more\n  goes on\n- other`
  expect(wrapLines(text, 'markdown')).toBe(`- ${words(23)} -\n  more goes on\n- other`)
  expect(wrapLines(`- ${words(24)}\n- other`, 'markdown')).toBe(`- ${words(23)}\n  word\n- other`)
  expect(wrapLines(`${words(23)} - more`, 'markdown')).toBe(`${words(23)} -\nmore`)
  expect(wrapLines(`${words(23)} word - more`, 'markdown')).toBe(`${words(23)}\nword - more`)
})

test('code, tables, code in Markdown and what says that a rule is not meant stay as they are', () => {
  for (const line of [`const a = '${words(25)}'`, `// biome-ignore ${words(25)}`])
    expect(wrapLines(line, 'code')).toBe(line)
  for (const text of [`| ${words(25)} |`, `# ${words(25)}`, `\`\`\`ts\n// ${words(25)}\n\`\`\``])
    expect(wrapLines(text, 'markdown')).toBe(text)
})
