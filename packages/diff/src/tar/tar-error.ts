import { type ErrorCode, NsboxError } from '@nsbox/errors'
import { type ByteString, entryDetails, quotedName } from './byte-string.ts'

const entryError = (code: ErrorCode) => (name: ByteString, reason: string) =>
  new NsboxError(code, `archive entry ${quotedName(name)}: ${reason}`, { details: entryDetails(name) })

/** An archive with an entry that no layer may have: `invalid_argument` with the entry's name. */
export const refused = entryError('invalid_argument')

/** An archive beyond a limit: `resource_exhausted`. */
export const tooMuch = entryError('resource_exhausted')

/** An archive that is damaged: `data_loss`. */
export const damaged = entryError('data_loss')
