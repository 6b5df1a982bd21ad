import { isErrno, isNsboxError } from '@nsbox/errors'

/** How the operating system says that a disk, or a user's share of it, is full. */
const errnos = ['ENOSPC', 'EDQUOT']

/** Whether something failed because the disk is full, whoever noticed: files, threads or the database. */
export function isOutOfRoom(error: unknown): boolean {
  if (errnos.some((errno) => isErrno(error, errno))) return true
  if (isNsboxError(error)) {
    const { errno, sqlite } = error.details
    if (errnos.includes(String(errno)) || String(sqlite).startsWith('SQLITE_FULL')) return true
  }
  return error instanceof Error && error.cause !== undefined && isOutOfRoom(error.cause)
}
