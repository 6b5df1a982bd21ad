/** What came of a call: its value, or the code of the error by which it refused. */
export type Attempt<T> =
  | { readonly outcome: 'accepted'; readonly value: T }
  | { readonly outcome: string; readonly value?: undefined }

/** Codes that say that the caller's input is at fault, or what it needs. The others say that the code is. */
const refusals = new Set([
  'invalid_argument',
  'data_loss',
  'resource_exhausted',
  'out_of_range',
  'not_found',
  'already_exists',
  'failed_precondition',
  'permission_denied',
  'unauthenticated',
  'unimplemented',
  'aborted',
  'canceled',
  'deadline_exceeded',
  'unavailable',
])

/**
 * Calls what takes hostile input. @throws whatever it throws that is no error with a code by which it refuses
 */
export function attempt<T>(call: () => T): Attempt<T> {
  try {
    return { outcome: 'accepted', value: call() }
  } catch (error) {
    return { outcome: refusalOf(error) }
  }
}

/** `attempt` for what takes time. */
export async function attemptAsync<T>(call: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { outcome: 'accepted', value: await call() }
  } catch (error) {
    return { outcome: refusalOf(error) }
  }
}

function refusalOf(error: unknown): string {
  if (error instanceof Error && error.name === 'NsboxError' && 'code' in error) {
    const code = String(error.code)
    if (refusals.has(code)) return code
  }
  throw error
}
