import { randomUUID } from 'node:crypto'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, mediaTypes } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { CheckpointStores } from './checkpoint-stores.ts'

/** How to store a layer. */
interface RwLayerOptions extends AbortOptions {
  /** By default the one type that containerd's clients look for in a checkpoint. */
  readonly mediaType?: string | undefined
}

/**
 * Stores the layer that a container has on top of its image. Nothing may write to its files meanwhile.
 * @throws `failed_precondition` for a container without a snapshot; as `Comparer.compare`
 */
export async function rwLayer(
  stores: Pick<CheckpointStores, 'comparer' | 'snapshotter'>,
  { id, snapshotter: name, snapshotKey }: Pick<Container, 'id' | 'snapshotter' | 'snapshotKey'>,
  { mediaType = mediaTypes.ociLayerGzip, signal }: RwLayerOptions = {},
): Promise<Descriptor> {
  if (snapshotKey === '')
    throw new NsboxError('failed_precondition', `container ${id} has no snapshot that a layer is made of`)
  const snapshots = stores.snapshotter(name)
  const { parent } = await snapshots.stat(snapshotKey, { signal })
  await using view = new AsyncDisposableStack()
  const viewOf = async (committed: string) => {
    const key = `checkpoint-view-${randomUUID()}`
    const mounts = await snapshots.view(key, committed, { signal })
    view.defer(() => snapshots.remove(key))
    return mounts
  }
  const lower = parent === undefined ? [] : await viewOf(parent)
  const upper = await snapshots.mounts(snapshotKey, { signal })
  return await stores.comparer.compare(lower, upper, { mediaType, signal })
}
