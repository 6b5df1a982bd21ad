import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { parseState, readState, refuseNewer, writeState } from './state-file.ts'

const refused = (text: string, format: number) => {
  try {
    return parseState(text, format, '/run/x.json')
  } catch (error) {
    return error
  }
}

test('a record is written whole, with the number of its format, and read without it', async () => {
  await using directory = await tempDir('nsbox-state')
  const path = join(directory.path, 'x.json')
  expect(readState(path, 3)).toBeUndefined()
  writeState(path, 2, { a: 1 })
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ format: 2, a: 1 })
  expect(readdirSync(directory.path)).toEqual(['x.json'])
  expect(readState(path, 3)).toEqual({ a: 1 })
  writeFileSync(path, '{"a":1}')
  expect(readState(path, 3)).toEqual({ a: 1 })
})

test('a record of a newer program is refused by name, with both numbers', () => {
  const error = refused('{"format":4,"a":1}', 3)
  expect(errorCode(error)).toBe('failed_precondition')
  expect(error).toMatchObject({
    message: expect.stringContaining(
      'state file "/run/x.json" has format 4, this program knows formats up to 3: use a newer program',
    ),
    details: { found: 4, known: 3 },
  })
})

test.each(['', '{"a":', 'null', '[]', '1', '{"format":0}', '{"format":"1"}', '{"format":1.5}'])(
  'no record is %j',
  (text) => {
    expect(errorCode(refused(text, 3))).toBe('data_loss')
  },
)

test('what is newer is refused before anything else, what is damaged is left to who needs it', () => {
  const read = (text: string) => () => parseState(text, 1, '/run/x.json')
  refuseNewer([read('{}'), read('torn'), () => undefined])
  expect(() => refuseNewer([read('torn'), read('{"format":2}')])).toThrow('use a newer program')
})
