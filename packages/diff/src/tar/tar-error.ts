import { type ErrorCode, NsboxError } from '@nsbox/errors'
import { type ByteString, entryDetails, quotedName } from './byte-string.ts'

const entryError = (code: ErrorCode) => (name: ByteString, reason: string) =>
  new NsboxError(code, `archive entry ${quotedName(name)}: ${reason}`, { details: entryDetails(name) })

/** The error for an entry that no layer may have: `invalid_argument` with the entry's name. */
export const refused = entryError('invalid_argument')

/** The error for an archive beyond a limit: `resource_exhausted`. */
export const tooMuch = entryError('resource_exhausted')

/** The error for a damaged archive: `data_loss`. */
export const damaged = entryError('data_loss')
