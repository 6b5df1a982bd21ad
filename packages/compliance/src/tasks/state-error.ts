import { errorCode } from '@nsbox/errors'
import { expect } from 'vitest'
import type { TasksClaims } from './claims.ts'

/** Waits for an operation to fail because of a state, and checks text and code of its error. */
export async function expectStateError(
  operation: Promise<unknown>,
  text: string,
  { stateCodes }: Pick<TasksClaims, 'stateCodes'>,
): Promise<void> {
  const error = await failure(operation)
  expect(error.message).toContain(text)
  if (stateCodes) expect(errorCode(error)).toBe('failed_precondition')
}

/** The error of an operation that must fail. */
export async function failure(operation: Promise<unknown>): Promise<Error> {
  const outcome = await operation.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome && outcome.error instanceof Error) return outcome.error
  throw new Error(`did not fail: ${JSON.stringify(outcome)}`)
}
