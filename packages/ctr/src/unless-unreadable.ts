import { isNsboxError } from '@nsbox/errors'
import { complain } from './print.ts'

/** What is wrong with documents and labels of an image, and not with the way to them. */
const faults: ReadonlySet<string> = new Set([
  'invalid_argument',
  'data_loss',
  'failed_precondition',
  'resource_exhausted',
])

/**
 * What is read of one image of several; undefined if it cannot be read, which is said: who has made it does not hide
 * the others.
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
