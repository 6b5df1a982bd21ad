import type { AbortOptions, SnapshotReader } from '@nsbox/core/snapshots'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'

/**
 * Whether the snapshot of a chain id exists. Asking makes a namespace adopt one of another namespace.
 * @throws `failed_precondition` if the name belongs to a snapshot that is not committed
 */
export async function snapshotExists(
  snapshotter: Pick<SnapshotReader, 'stat'>,
  chainId: string,
  { signal }: AbortOptions = {},
): Promise<boolean> {
  const found = await undefinedIf(isNotFound, snapshotter.stat(chainId, { signal }))
  if (found === undefined || found.kind === 'committed') return found !== undefined
  throw new NsboxError('failed_precondition', `snapshot ${chainId} is in the way, since it is not committed`)
}
