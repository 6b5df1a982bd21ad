import type { ErrorCode } from './code.ts'
import { isNsboxError, NsboxError } from './nsbox-error.ts'

/** The code for each errno name; every other one is `unknown`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not_found',
  EEXIST: 'already_exists',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  ENOSPC: 'resource_exhausted',
  EDQUOT: 'resource_exhausted',
  EMFILE: 'resource_exhausted',
  ENFILE: 'resource_exhausted',
  ENOMEM: 'resource_exhausted',
  EROFS: 'failed_precondition',
  EIO: 'data_loss',
  ENOSYS: 'unimplemented',
  EOPNOTSUPP: 'unimplemented',
}

/** Whether `value` is an error of a system call with this errno name, such as `ENOENT`. */
export function isErrno(value: unknown, errno: string): boolean {
  return value instanceof Error && (value as NodeJS.ErrnoException).code === errno
}

/**
 * Gives an error of the operating system a code, and names the operation that failed.
 *
 * @param error what was thrown; an NsboxError or an abort is returned as it is
 * @param context what was being done, for example `writing ingest "layer-…"`
 */
export function fromSystemError(error: unknown, context: string): unknown {
  if (isNsboxError(error) || !(error instanceof Error)) return error
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return error
  const errno: unknown = (error as NodeJS.ErrnoException).code
  // Errors of other libraries have codes that are no names: a ConnectError's is a number.
  if (typeof errno !== 'string') return error
  return new NsboxError(codes[errno] ?? 'unknown', `${context}: ${error.message}`, {
    cause: error,
    details: { errno },
  })
}

/** Runs `body` so that errors of the operating system leave it as `fromSystemError` makes them. */
export async function withErrorContext<T>(context: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw fromSystemError(error, context)
  }
}
