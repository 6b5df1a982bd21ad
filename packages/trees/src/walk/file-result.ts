import { getSystemErrorName } from 'node:util'
import { fromSystemError } from '@nsbox/errors'

/**
 * Checks the result of a file call.
 *
 * @param the operation, such as `chown "etc/passwd"`
 * @returns the result if it is no error; throws an NsboxError otherwise, with the detail `errno`
 */
export function checkResult(result: number, what: string): number {
  if (result >= 0) return result
  throw failure(result, what)
}

/** The error of a file call that returned a negated errno. */
export function failure(result: number, what: string): unknown {
  const code = getSystemErrorName(result)
  return fromSystemError(Object.assign(new Error(code), { code, errno: result }), what)
}
