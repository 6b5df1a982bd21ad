import { expect, it } from 'vitest'
import { matchesOutput } from './matches-output.ts'

it.each([
  ['a\nb\n', 'a\nb\n', true],
  ['a  \nb\n\n', 'a\nb\n', true],
  ['a\nb\n', 'a\n', false],
  ['a.b (1)\n', 'a.b (1)\n', true],
  ['axb\n', 'a.b\n', false],
  ['sha256:01 12 kB\n', 'sha256:… 12 kB\n', true],
  ['TASK    PID\nbox     12345\n', 'TASK  PID\nbox   …\n', true],
  ['a b\n', 'a  b\n', false],
  ['one\ntwo\n', 'one…two\n', false],
  ['one\n2\n3\nfour\n', 'one\n…\nfour\n', true],
  ['one\nfour\n', 'one\n…\nfour\n', true],
  ['one\nfive\n', 'one\n…\nfour\n', false],
])('what was printed, %j, is what is shown as %j: %s', (printed, shown, expected) => {
  expect(matchesOutput(printed, shown)).toBe(expected)
})
