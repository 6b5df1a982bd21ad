import { restartLabels } from '@nsbox/core/containers'
import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { restartOutput } from './restart-output.ts'

const { logUri, logPath } = restartLabels

test.each([
  [{}, ''],
  [{ [logUri]: 'file:///a%20b' }, 'file:///a%20b'],
  [{ [logUri]: 'binary:///bin/logger?id=1' }, 'binary:///bin/logger?id=1'],
  [{ [logPath]: '/a b?#%' }, 'file:///a%20b%3F%23%25'],
  [{ [logUri]: 'file:///new', [logPath]: '/old' }, 'file:///new'],
])('output by %j goes to %j', (labels, output) => expect(restartOutput(labels)).toBe(output))

test.each([
  { [logUri]: 'fifo:///x' },
  { [logUri]: '/x' },
  { [logUri]: 'http://x/' },
  { [logUri]: 'x file:///y' },
  { [logPath]: 'relative' },
] as Record<string, string>[])('B09 output by %j is refused', (labels) => {
  let failure: unknown
  try {
    restartOutput(labels)
  } catch (error) {
    failure = error
  }
  expect(errorCode(failure)).toBe('invalid_argument')
})
