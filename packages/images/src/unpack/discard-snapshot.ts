import type { SnapshotMaker } from '@nsbox/core/snapshots'
import { errorCode, isNotFound, isNsboxError, NsboxError } from '@nsbox/errors'

/**
 * Removes the snapshot of an attempt that has failed, also one that was aborted.
 *
 * @returns the error of the attempt to throw, which tells of the snapshot if that could not be removed
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
