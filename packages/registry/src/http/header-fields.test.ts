import { expect, it } from 'vitest'
import { headerFields } from './header-fields.ts'

it('keeps header fields by lower-case name and joins those of one name', () => {
  const fields = headerFields(
    [
      ['X-A', 'one'],
      ['x-a', 'two'],
      ['B', ''],
    ],
    'test',
  )
  expect({ ...fields }).toEqual({ 'x-a': 'one, two', b: '' })
})

it('C10 refuses names and values that would not be sent as one field', () => {
  const wrong: [string, string][] = [
    ['x', 'a\r\nb: c'],
    ['x', 'a\nb'],
    ['x', 'a\0'],
    ['x', '☃'],
    ['x\r\ny', 'a'],
    ['x y', 'a'],
    ['', 'a'],
    ['Content-Length', '5'],
    ['transfer-encoding', 'chunked'],
    ['x', 'a'.repeat(10_000)],
  ]
  for (const field of wrong)
    expect(() => headerFields([field], 'test'), JSON.stringify(field)).toThrow(/invalid argument/)
})
