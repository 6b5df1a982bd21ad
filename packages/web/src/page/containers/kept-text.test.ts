import { expect, it } from 'vitest'
import { keptText, mostKept } from './kept-text.ts'

it('leaves out escape sequences, and shows other controls as such', () => {
  expect(keptText('a\n', '\u001b[31mred\u001b[0m\r\n\u0000\tb')).toBe('a\nred\n\ufffd\tb')
})

it('keeps the last lines of a long log', () => {
  const line = `${'x'.repeat(99)}\n`
  const text = keptText(line.repeat(mostKept / 100), 'last\n')
  expect(text.length).toBeLessThanOrEqual(mostKept)
  expect(text.startsWith('x'.repeat(99))).toBe(true)
  expect(text.endsWith('\nlast\n')).toBe(true)
  expect(keptText('', 'y'.repeat(3 * mostKept)).length).toBe(mostKept)
})
