import { getSystemErrorName } from 'node:util'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { type ByteString, entryDetails, quotedName } from '../tar/byte-string.ts'

/**
 * Checks the result of a file call.
 *
 * @param name the name of the layer's entry, for the error
 * @returns the result if it is no error; throws an NsboxError with the entry's name and the details `entry` and `errno`
 */
export function checkResult(result: number, call: string, name: ByteString): number {
  if (result >= 0) return result
  const code = getSystemErrorName(result)
  if (code === 'EXDEV') throw misplaced(name, 'something is mounted there')
  throw failedEntry(Object.assign(new Error(`${call} ${code}`), { code }), name)
}

/** The error for an entry that this file system cannot store: `failed_precondition` with the entry's name. */
export function misplaced(name: ByteString, reason: string): NsboxError {
  return new NsboxError('failed_precondition', `layer entry ${quotedName(name)}: ${reason}`, {
    details: entryDetails(name),
  })
}

/** Adds the entry's name to an error of the operating system. */
export function failedEntry(error: unknown, name: ByteString): unknown {
  const coded = fromSystemError(error, `layer entry ${quotedName(name)}`)
  if (!(coded instanceof NsboxError) || coded === error) return coded
  return new NsboxError(coded.code, coded.context, {
    cause: error,
    details: { ...coded.details, ...entryDetails(name) },
  })
}
