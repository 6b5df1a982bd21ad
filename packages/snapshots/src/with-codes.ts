import { fromSystemError } from '@nsbox/errors'

/** Runs `body` so that what the operating system has against it leaves with a code and says what was being done. */
export async function withCodes<T>(context: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw fromSystemError(error, context)
  }
}
