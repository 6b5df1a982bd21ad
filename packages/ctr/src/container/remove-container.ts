import type { Container } from '@nsbox/core/containers'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { Session } from '../session.ts'

/** Removes a container that has no task, and its snapshot; each of them may be gone already. */
export async function removeContainer(
  { client }: Pick<Session, 'client'>,
  { id, snapshotter, snapshotKey }: Pick<Container, 'id' | 'snapshotter' | 'snapshotKey'>,
): Promise<void> {
  // Before the container, which holds it.
  if (snapshotKey !== '') await undefinedIf(isNotFound, client.snapshotter(snapshotter).remove(snapshotKey))
  await undefinedIf(isNotFound, client.containers.delete(id))
}
