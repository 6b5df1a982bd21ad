import { fromSystemError } from '@nsbox/errors'

/** Runs `body`; errors of the operating system get a code, and a context that says what was being done. */
export async function withCodes<T>(context: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw fromSystemError(error, context)
  }
}
