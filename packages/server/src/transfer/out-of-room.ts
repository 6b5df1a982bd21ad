import { isErrno, isNsboxError } from '@nsbox/errors'

/** Errors of the operating system for a full disk, or a user's full quota. */
const errnos = ['ENOSPC', 'EDQUOT']

/** Whether an error means that the disk is full, whether it comes from files, threads or the database. */
export function isOutOfRoom(error: unknown): boolean {
  if (errnos.some((errno) => isErrno(error, errno))) return true
  if (isNsboxError(error)) {
    const { errno, sqlite } = error.details
    if (errnos.includes(String(errno)) || String(sqlite).startsWith('SQLITE_FULL')) return true
  }
  return error instanceof Error && error.cause !== undefined && isOutOfRoom(error.cause)
}
