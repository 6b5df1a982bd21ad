/**
 * What a promise resolves to; undefined if it is rejected with an error that is expected.
 * @param isExpected such as `isNotFound`
 */
export async function undefinedIf<T>(
  isExpected: (error: unknown) => boolean,
  promise: Promise<T>,
): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isExpected(error)) return undefined
    throw error
  }
}
