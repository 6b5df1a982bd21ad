import { type ErrorCode, errorCode } from '@nsbox/errors'
import { expect } from 'vitest'

/** Waits for an operation to fail, and holds its error against the code. */
export async function expectCode(operation: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await operation.then(
    () => 'success',
    (error: unknown) => (errorCode(error) === 'unknown' && code !== 'unknown' ? error : errorCode(error)),
  )
  expect(outcome).toBe(code)
}
