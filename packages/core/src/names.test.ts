import { errorCode } from '@nsbox/errors'
import { expect, it } from 'vitest'
import { checkName } from './names.ts'

const outcome = (...args: Parameters<typeof checkName>) => {
  try {
    return checkName(...args)
  } catch (error) {
    return [errorCode(error), (error as Error).message]
  }
}

it('a name is text of 1 to 4096 bytes', () => {
  expect(outcome('ref', 'x'.repeat(4096))).toBeUndefined()
  expect(outcome('ref', '🎉'.repeat(1024))).toBeUndefined()
  expect(outcome('ref', '')).toEqual(['invalid_argument', 'ref must not be empty: invalid argument'])
  expect(outcome('snapshot key', '🎉'.repeat(1025))).toEqual([
    'invalid_argument',
    'snapshot key of 4100 bytes, at most 4096 are allowed: invalid argument',
  ])
  expect(outcome('ref', 'a\ud800')).toEqual([
    'invalid_argument',
    String.raw`ref "a\ud800" is not Unicode text: invalid argument`,
  ])
})

it('a store that puts something before names has room for it', () => {
  expect(outcome('ref', 'x'.repeat(8192), 8192)).toBeUndefined()
  expect(outcome('ref', 'x'.repeat(8193), 8192)).toMatchObject(['invalid_argument', expect.any(String)])
})
