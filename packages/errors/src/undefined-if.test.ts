import { expect, test } from 'vitest'
import { NsboxError } from './nsbox-error.ts'
import { isNotFound } from './predicates.ts'
import { undefinedIf } from './undefined-if.ts'

test('what a promise resolves to is passed on', async () => {
  expect(await undefinedIf(isNotFound, Promise.resolve(7))).toBe(7)
})

test('an expected error becomes undefined', async () => {
  expect(await undefinedIf(isNotFound, Promise.reject(new NsboxError('not_found', 'it')))).toBeUndefined()
})

test('any other error is thrown', async () => {
  const other = new NsboxError('unavailable', 'it')
  await expect(undefinedIf(isNotFound, Promise.reject(other))).rejects.toBe(other)
})
