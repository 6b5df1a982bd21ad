import type { SnapshotMaker } from '@nsbox/core/snapshots'
import { errorCode, isNotFound, isNsboxError, NsboxError } from '@nsbox/errors'

/**
 * Removes the snapshot of a failed or aborted attempt.
 *
 * @returns the error of the attempt, which mentions the snapshot if that could not be removed
 */
export async function discardSnapshot(
  snapshotter: Pick<SnapshotMaker, 'remove'>,
  key: string,
  error: unknown,
): Promise<unknown> {
  try {
    await snapshotter.remove(key)
    return error
  } catch (left) {
    if (isNotFound(left)) return error
    const { context, details } = isNsboxError(error) ? error : { context: String(error), details: {} }
    const cause = new AggregateError([error, left], `snapshot ${key} is left`)
    return new NsboxError(errorCode(error), `${context} (snapshot ${key} is left)`, { cause, details })
  }
}
