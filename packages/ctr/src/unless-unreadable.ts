import { isNsboxError } from '@nsbox/errors'
import { complain } from './print.ts'

/** Faults of an image's documents and labels, and not of the connection. */
const faults: ReadonlySet<string> = new Set([
  'invalid_argument',
  'data_loss',
  'failed_precondition',
  'resource_exhausted',
])

/**
 * What a function reads of one image of several; undefined if its documents are bad, which is reported and does not
 * hide the other images.
 */
export async function unlessUnreadable<T>(name: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isNsboxError(error) || !faults.has(error.code)) throw error
    complain(`image ${name}: ${error.message}`)
    return undefined
  }
}
