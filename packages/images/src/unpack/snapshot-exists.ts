import type { AbortOptions, SnapshotReader } from '@nsbox/core/snapshots'
import { isNotFound, NsboxError } from '@nsbox/errors'

/**
 * Whether the snapshot of a chain id exists. Asking is what lets a namespace adopt one that another namespace has.
 * @throws `failed_precondition` if something that is not committed has the name
 */
export async function snapshotExists(
  snapshotter: Pick<SnapshotReader, 'stat'>,
  chainId: string,
  { signal }: AbortOptions = {},
): Promise<boolean> {
  try {
    const { kind } = await snapshotter.stat(chainId, { signal })
    if (kind === 'committed') return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
  throw new NsboxError('failed_precondition', `snapshot ${chainId} is in the way, since it is not committed`)
}
