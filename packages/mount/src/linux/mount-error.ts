import { type ErrorCode, fromSystemError, isNsboxError, NsboxError } from '@nsbox/errors'

/** Codes for the errnos that have a meaning of their own in calls about mounts. */
const codes = new Map<unknown, ErrorCode>([
  ['EINVAL', 'invalid_argument'],
  ['E2BIG', 'invalid_argument'],
  ['ELOOP', 'invalid_argument'],
  ['ENAMETOOLONG', 'invalid_argument'],
  ['ENOTDIR', 'invalid_argument'],
  ['ENOTBLK', 'invalid_argument'],
  ['EBUSY', 'failed_precondition'],
  // The kernel has no file system of this type.
  ['ENODEV', 'unimplemented'],
])

/** Adds the operation to an error of a system call, and the code that its errno has for mounts. */
export function mountError(error: unknown, context: string): unknown {
  const coded = fromSystemError(error, '')
  if (!isNsboxError(coded) || coded.details.errno === undefined) return error
  const code = codes.get(coded.details.errno) ?? coded.code
  const said = coded.context.replace(/^: /, '')
  return new NsboxError(code, `${context}: ${said}`, { cause: error, details: coded.details })
}

/** Whether an error of a system call has this errno. */
export function hasErrno(error: unknown, ...errnos: readonly string[]): boolean {
  return isNsboxError(error) && errnos.includes(String(error.details.errno))
}
