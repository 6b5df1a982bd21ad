import { fromSystemError, isNsboxError, NsboxError } from '@nsbox/errors'
import { type ByteString, quotedName } from '../tar/byte-string.ts'

/** The error for a file that has changed meanwhile. */
export function changing(path: ByteString): NsboxError {
  return new NsboxError('aborted', `${quotedName(path)} changes while a layer is made of it`)
}

/** The error for a node that no layer can represent. */
export function noLayer(path: ByteString, reason: string): NsboxError {
  return new NsboxError('failed_precondition', `${quotedName(path)} cannot be in a layer: ${reason}`)
}

/** Adds the file's name to an error of the operating system. */
export function failedFile(error: unknown, path: ByteString): unknown {
  return fromSystemError(error, `reading ${quotedName(path)}`)
}

/**
 * The error for a layer of an overlay that can only be read through the mounted overlay, for instance because a file's
 * content is in another layer. `isMergedOnly` recognises the error after it has come from another thread.
 */
export function mergedOnly(path: ByteString, reason: string): NsboxError {
  const context = `${quotedName(path)} of an overlay's upper directory ${reason}`
  return new NsboxError('failed_precondition', context, { details: { mergedOnly: true } })
}

export function isMergedOnly(error: unknown): boolean {
  return isNsboxError(error) && error.details.mergedOnly === true
}
