import { type ErrorCode, errorCode } from '@nsbox/errors'
import { expect } from 'vitest'

/**
 * Waits for an operation to fail, and holds its error against the code.
 * @param text what the message says before its code's name, for what clients know by its text
 */
export async function expectCode(operation: Promise<unknown>, code: ErrorCode, text = ''): Promise<void> {
  const { error, outcome } = await operation.then(
    () => ({ error: undefined, outcome: 'success' }),
    (error: unknown) => ({ error, outcome: errorCode(error) }),
  )
  // An error without a code says more than its lack of one.
  expect(outcome === 'unknown' && code !== 'unknown' ? error : outcome).toBe(code)
  expect((error as Error).message).toContain(text)
}
