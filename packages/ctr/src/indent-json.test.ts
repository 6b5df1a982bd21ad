import { expect, test } from 'vitest'
import { indentJson } from './indent-json.ts'

test.each([
  '{}',
  '[]',
  '"x"',
  '12',
  '{"a":[],"b":{},"c":[1,2,[3]],"d":{"e":null,"f":true}}',
  '[{"a":"{[,:]} \\" \\\\"},"",{}]',
])('indents %s as everybody does', (json) => {
  expect(indentJson(json)).toBe(JSON.stringify(JSON.parse(json), undefined, 4))
  expect(indentJson(JSON.stringify(JSON.parse(json), undefined, 2))).toBe(indentJson(json))
})

test('leaves numbers, their order and escapes as they are', () => {
  expect(indentJson('{"2":18446744073709551615,"1":1.50,"x":"\\u00e4\\/"}')).toBe(
    '{\n    "2": 18446744073709551615,\n    "1": 1.50,\n    "x": "\\u00e4\\/"\n}',
  )
})

test('escapes what Go escapes', () => {
  expect(indentJson('{"<a>":"b && c\u2028"}')).toBe(
    '{\n    "\\u003ca\\u003e": "b \\u0026\\u0026 c\\u2028"\n}',
  )
})
