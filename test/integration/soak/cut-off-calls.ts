import { isNotFound, isUnavailable } from '@nsbox/errors'

/** Whether an error, and those that came while what it left was undone, are only of a server that was away. */
export function isCutOff(error: unknown): boolean {
  if (!isSuppressed(error)) return isUnavailable(error)
  return isCutOff(error.suppressed) && (isCutOff(error.error) || isNotFound(error.error))
}

/** An error with where it came from, and those that it came after. */
export function describe(error: unknown): string {
  if (isSuppressed(error)) return `${describe(error.error)}, after ${describe(error.suppressed)}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** What disposing throws where what went before had failed already, by Node's class or by the one in its place. */
function isSuppressed(error: unknown): error is Error & { error: unknown; suppressed: unknown } {
  return error instanceof Error && 'suppressed' in error && 'error' in error
}
