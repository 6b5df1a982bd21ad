import { type ErrorCode, NsboxError } from '@nsbox/errors'
import Sqlite from 'better-sqlite3'

/** The primary result codes that a caller can act on; errors of others are bugs and passed on as they are. */
const codes: Readonly<Record<string, ErrorCode>> = {
  SQLITE_FULL: 'resource_exhausted',
  SQLITE_TOOBIG: 'resource_exhausted',
  SQLITE_NOMEM: 'resource_exhausted',
  SQLITE_BUSY: 'unavailable',
  SQLITE_LOCKED: 'unavailable',
  SQLITE_READONLY: 'failed_precondition',
  SQLITE_CANTOPEN: 'failed_precondition',
  SQLITE_PERM: 'permission_denied',
  SQLITE_CORRUPT: 'data_loss',
  SQLITE_NOTADB: 'data_loss',
  SQLITE_IOERR: 'data_loss',
}

/** Gives an error of SQLite a code and says which database; anything else is returned as it is. */
export function fromSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error
  const code = codeOfResult(error.code)
  if (code === undefined) return error
  return new NsboxError(code, `database ${path}: ${error.message}`, {
    cause: error,
    details: { sqlite: error.code },
  })
}

/** The code of a result of SQLite, such as `SQLITE_IOERR_WRITE`. */
export function codeOfResult(result: string): ErrorCode | undefined {
  return codes[result.split('_').slice(0, 2).join('_')]
}

/** Whether SQLite could not sync a file, after which the state of its pages is unknown. */
export function isFailedSync(code: unknown): boolean {
  return code === 'SQLITE_IOERR_FSYNC' || code === 'SQLITE_IOERR_DIR_FSYNC'
}
