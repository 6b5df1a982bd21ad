/** What a promise is rejected with; rejects itself if the promise is fulfilled. */
export async function failure(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; cause?: unknown }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('it succeeded, though it should fail')
}
