import { NsboxError } from '@nsbox/errors'
import { type ByteString, quotedName, readable } from './byte-string.ts'

/** An archive with an entry that no layer may have: `invalid_argument` with the entry's name. */
export function refused(name: ByteString, reason: string): NsboxError {
  return new NsboxError('invalid_argument', `archive entry ${quotedName(name)}: ${reason}`, {
    details: { entry: readable(name).slice(0, 4096) },
  })
}

/** An archive beyond a limit: `resource_exhausted`. */
export function tooMuch(name: ByteString, reason: string): NsboxError {
  return new NsboxError('resource_exhausted', `archive entry ${quotedName(name)}: ${reason}`, {
    details: { entry: readable(name).slice(0, 4096) },
  })
}

/** An archive that is damaged: `data_loss`. */
export function damaged(name: ByteString, reason: string): NsboxError {
  return new NsboxError('data_loss', `archive entry ${quotedName(name)}: ${reason}`, {
    details: { entry: readable(name).slice(0, 4096) },
  })
}
