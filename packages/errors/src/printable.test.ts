import { expect, test } from 'vitest'
import { printable, printableLines } from './printable.ts'

const all = String.fromCodePoint(...Array.from({ length: 0xd800 }, (_, code) => code))

test('E13 text for a terminal has nothing that a terminal obeys, and is plain text as it was', () => {
  expect(printable(all)).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
  expect(printableLines(all)).not.toMatch(/[^\P{Cc}\n\t]/u)
  expect(printableLines(all).split('\n')).toHaveLength(2)
  expect(printable('\u001b[2J\u009b31m\u202e')).toBe('\\u001b[2J\\u009b31m\\u202e')
  const plain = 'größe 😀 "quoted" \\ 中文'
  expect(printable(plain)).toBe(plain)
})

test('E13 JSON means the same with its controls written out', () => {
  const value = { [all]: [all, { a: all.slice(0x7f, 0xa0) }] }
  expect(JSON.parse(printableLines(JSON.stringify(value, undefined, 2)))).toEqual(value)
})
