import { type ErrorCode, errorCode } from '@nsbox/errors'
import { expect } from 'vitest'

/**
 * Waits for an operation to fail, and checks the error's code.
 * @param text of the message before the name of its code, for texts that clients know
 */
export async function expectCode(operation: Promise<unknown>, code: ErrorCode, text = ''): Promise<void> {
  const { error, outcome } = await operation.then(
    () => ({ error: undefined, outcome: 'success' }),
    (error: unknown) => ({ error, outcome: errorCode(error) }),
  )
  // For an error without a code, the error itself is shown.
  expect(outcome === 'unknown' && code !== 'unknown' ? error : outcome).toBe(code)
  expect((error as Error).message).toContain(text)
}
