import type { Container } from '@nsbox/core/containers'
import { isNotFound } from '@nsbox/errors'
import type { Session } from '../session.ts'

/** Removes a container that has no task, with its snapshot. What is gone already is not missed. */
export async function removeContainer(
  { client }: Pick<Session, 'client'>,
  { id, snapshotter, snapshotKey }: Pick<Container, 'id' | 'snapshotter' | 'snapshotKey'>,
): Promise<void> {
  // Before the container, which holds it.
  if (snapshotKey !== '') await unlessMissing(client.snapshotter(snapshotter).remove(snapshotKey))
  await unlessMissing(client.containers.delete(id))
}

async function unlessMissing(removal: Promise<void>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
