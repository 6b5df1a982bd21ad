import { expect, test } from 'vitest'
import { isAtOrBelow } from './path-prefix.ts'

test.each([
  ['/a/b', '/a/b', true],
  ['/a/b/c', '/a/b', true],
  ['/a/b/c', '/a/b/', true],
  ['/a/bc', '/a/b', false],
  ['/a', '/a/b', false],
  ['/a', '/', true],
  ['/', '/', true],
  ['/', '/a', false],
])('%s at or below %s: %s', (path, directory, expected) => {
  expect(isAtOrBelow(path, directory)).toBe(expected)
})
