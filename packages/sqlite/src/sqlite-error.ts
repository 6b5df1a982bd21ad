import { type ErrorCode, NsboxError } from '@nsbox/errors'

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

/** Numbers of the same, as `node:sqlite` tells them (https://sqlite.org/rescode.html). */
const numbers: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  18: 'SQLITE_TOOBIG',
  26: 'SQLITE_NOTADB',
  // Extended ones, of which the lowest byte is the primary one.
  1034: 'SQLITE_IOERR_FSYNC',
  1290: 'SQLITE_IOERR_DIR_FSYNC',
}

/** The result, such as `SQLITE_IOERR_WRITE`, of an error of either engine; undefined for other errors. */
export function resultOf(error: unknown): string | undefined {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number')
    return numbers[errcode] ?? numbers[errcode & 0xff]
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

/** Gives an error of SQLite a code and says which database; anything else is returned as it is. */
export function fromSqliteError(error: unknown, path: string): unknown {
  const result = resultOf(error)
  const code = result === undefined ? undefined : codeOfResult(result)
  if (result === undefined || code === undefined || !(error instanceof Error)) return error
  return new NsboxError(code, `database ${path}: ${error.message}`, {
    cause: error,
    details: { sqlite: result },
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
