import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { NsboxError } from './nsbox-error.ts'
import { fromSystemError, isErrno } from './system-error.ts'

const missing = () => readFile('/does/not/exist').catch((error: unknown) => error)

it('isErrno tells an error number by its name', async () => {
  expect(isErrno(await missing(), 'ENOENT')).toBe(true)
  expect(isErrno(await missing(), 'EACCES')).toBe(false)
  expect(isErrno({ code: 'ENOENT' }, 'ENOENT')).toBe(false)
})

it('gives a system error a code, a context, its number and its cause', async () => {
  const cause = await missing()
  const error = fromSystemError(cause, 'reading a file')
  expect(error).toMatchObject({ code: 'not_found', cause, details: { errno: 'ENOENT' } })
  expect((error as NsboxError).message).toMatch(/^reading a file: ENOENT.*: not found$/)
})

it('makes a full disk resource_exhausted and an unlisted number unknown', () => {
  const error = (code: string) => fromSystemError(Object.assign(new Error(code), { code }), 'x')
  expect(error('ENOSPC')).toMatchObject({ code: 'resource_exhausted' })
  expect(error('EXDEV')).toMatchObject({ code: 'unknown' })
})

it('returns coded errors, aborts and everything else as they are', () => {
  const abort = AbortSignal.abort().reason
  const numbered = Object.assign(new Error('a call was cancelled'), { code: 1 })
  for (const value of [new NsboxError('aborted', 'x'), abort, numbered, new Error('bug'), 'text'])
    expect(fromSystemError(value, 'x')).toBe(value)
})
