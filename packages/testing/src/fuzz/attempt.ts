/** The result of a call: its value, or the code of the error by which it refused. */
export type Attempt<T> =
  | { readonly outcome: 'accepted'; readonly value: T }
  | { readonly outcome: string; readonly value?: undefined }

/** Codes that blame the caller's input or its needs. The others blame the code under test. */
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

/** Calls code that takes hostile input. @throws errors other than refusals with a code */
export function attempt<T>(call: () => T): Attempt<T> {
  try {
    return { outcome: 'accepted', value: call() }
  } catch (error) {
    return { outcome: refusalOf(error) }
  }
}

/** As `attempt`, for asynchronous code. */
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
