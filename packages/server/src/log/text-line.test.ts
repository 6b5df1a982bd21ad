import { expect, test } from 'vitest'
import { textLine } from './text-line.ts'

test('a line for people has time, level, message, facts and the stack of an error', () => {
  const json = JSON.stringify({ level: 30, time: 'T', msg: 'serving', address: '/a b', n: 1 })
  expect(textLine(json)).toBe('T INFO  serving address="/a b" n=1\n')
  const failed = JSON.stringify({ level: 50, time: 'T', msg: 'm', err: { stack: 'Error: x\n at y' } })
  expect(textLine(failed)).toBe('T ERROR m\nError: x\n at y\n')
})
