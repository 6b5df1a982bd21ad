import { expect, test } from 'vitest'
import { textLine } from './text-line.ts'

test('a line for people has time, level, message, facts and the stack of an error', () => {
  const json = JSON.stringify({ level: 30, time: 'T', msg: 'serving', address: '/a b', n: 1 })
  expect(textLine(json)).toBe('T INFO  serving address="/a b" n=1\n')
  const failed = JSON.stringify({ level: 50, time: 'T', msg: 'm', err: { stack: 'Error: x\n at y' } })
  expect(textLine(failed)).toBe('T ERROR m\n    Error: x\n     at y\n')
})

test('E13 what others have named forges no line of the log and moves no cursor', () => {
  const err = { stack: 'Error: image a\nT INFO  serving\u001b[2J\n at y' }
  const [line, ...more] = textLine(
    JSON.stringify({ level: 50, time: 'T', msg: 'm\nT INFO  m', name: 'a\u009b2J\u202e', err }),
  ).split('\n')
  expect(line).toBe('T ERROR m\\u000aT INFO  m name="a\\u009b2J\\u202e"')
  expect(more).toEqual(['    Error: image a', '    T INFO  serving\\u001b[2J', '     at y', ''])
})
