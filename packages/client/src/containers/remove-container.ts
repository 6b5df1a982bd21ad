import type { Container, ContainerStore } from '@nsbox/core/containers'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'

/** Removes a container that has no task, and its snapshot; each of them may be gone already. */
export async function removeContainer(
  view: { readonly containers: ContainerStore; snapshotter(name?: string): Snapshotter },
  { id, snapshotter, snapshotKey }: Pick<Container, 'id' | 'snapshotter' | 'snapshotKey'>,
): Promise<void> {
  // Before the container, which holds it.
  if (snapshotKey !== '') await undefinedIf(isNotFound, view.snapshotter(snapshotter).remove(snapshotKey))
  await undefinedIf(isNotFound, view.containers.delete(id))
}
