import { expect, it } from 'vitest'
import { quoted, shownName } from './quoted.ts'

it('text is quoted, escaped and cut', () => {
  expect(quoted('a "b"\n')).toBe(String.raw`"a \"b\"\n"`)
  expect(quoted('x'.repeat(256))).toHaveLength(258)
  expect(quoted('x'.repeat(5000))).toBe(`"${'x'.repeat(256)}…"`)
})

it('what is no text is shown by its type', () => {
  expect([undefined, null, 7, {}].map(quoted)).toEqual(['undefined', 'null', 'number', 'object'])
})

it('a plain name is shown as it is', () => {
  for (const name of ['layer-sha256:abc', 'extract-1-a sha256:abc', 'x']) expect(shownName(name)).toBe(name)
})

it('a name that could be taken for something else is quoted', () => {
  expect(shownName('a\nb')).toBe('"a\\nb"')
  expect(['', ' ', 'a ', ' a', 'ü'].map(shownName)).toEqual(['""', '" "', '"a "', '" a"', '"ü"'])
  expect(shownName('x'.repeat(5000))).toHaveLength(259)
})
