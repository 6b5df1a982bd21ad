import { NsboxError } from '@nsbox/errors'

/**
 * Refuses a directory of another user, who could change or replace it whatever its mode is.
 * @param what the directory, for the error
 * @throws `failed_precondition`
 */
export function requireOwnDirectory({ uid }: { readonly uid: number }, what: string): void {
  if (uid === 0 || uid === process.geteuid?.()) return
  throw new NsboxError('failed_precondition', `${what} belongs to another user, ${uid}`)
}
