import { type Checkpoint, type ClientView, readCheckpoint } from '@nsbox/client'
import type { ImageInUse } from '@nsbox/client/containers'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import { imageChainId } from '@nsbox/images'
import { type Descriptor, defaultPlatform, type Platform } from '@nsbox/oci'
import type { Session } from '../session.ts'
import type { ContainerRequest } from './container-request.ts'

/** A checkpoint for a container whose spec comes from elsewhere. */
export interface UsedCheckpoint extends Checkpoint {
  readonly memory: Descriptor
}

/**
 * Finds the checkpoint from which a container is to be restored.
 * @throws `not_found` if it has no memory of a task; `invalid_argument` if it has files but the container has no image
 * to put them on
 */
export async function findCheckpoint(
  { client, signal }: Session,
  name: string,
  { from }: Pick<ContainerRequest, 'from'>,
): Promise<UsedCheckpoint> {
  const { target } = await client.images.get(name, { signal })
  const checkpoint = await readCheckpoint(client.content, target, { signal })
  const { memory, rw } = checkpoint
  if (memory === undefined) throw new NsboxError('not_found', `checkpoint ${name} has no memory of a task`)
  if (rw && (from === undefined || 'directory' in from))
    throw new NsboxError('invalid_argument', `checkpoint ${name} has files, which need an image below them`)
  return { ...checkpoint, memory }
}

/**
 * Puts the layer of a checkpoint on top of an image's.
 * @throws `failed_precondition` if it is known to belong on top of another image
 */
export async function applyCheckpoint(
  { content, applier }: Pick<ClientView, 'content' | 'applier'>,
  { image: ownImage, rw }: Checkpoint,
  {
    image,
    mounts,
    platform = defaultPlatform(),
    signal,
  }: {
    readonly image: ImageInUse
    readonly mounts: readonly Mount[]
    readonly platform?: Platform | undefined
    readonly signal: AbortSignal
  },
): Promise<void> {
  if (ownImage && (await imageChainId(content, ownImage, { platform, signal })) !== image.chainId)
    throw new NsboxError('failed_precondition', `the checkpoint is of another image than ${image.name}`)
  if (rw) await applier.apply(rw, mounts, { signal })
}
