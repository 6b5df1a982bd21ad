import type { Container } from '@nsbox/core/containers'
import type { Image } from '@nsbox/core/images'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import {
  childGcLabels,
  type Descriptor,
  defaultPlatform,
  descriptorJson,
  mediaTypes,
  type Platform,
} from '@nsbox/oci'
import { checkpointAnnotations, checkpointLabel, opaqueBytes } from '../checkpoint/checkpoint-index.ts'
import type { CheckpointLease, CheckpointStores } from '../checkpoint/checkpoint-stores.ts'
import { dumpTask } from '../checkpoint/dump-task.ts'
import { rwLayer } from '../checkpoint/rw-layer.ts'
import { whilePaused } from '../checkpoint/while-paused.ts'
import { writeBlob } from '../checkpoint/write-blob.ts'
import { type CheckpointTaskOptions, checkpointOptions } from '../task/checkpoint-options.ts'

/** What to keep of a container. */
export interface CheckpointContainerOptions extends Omit<CheckpointTaskOptions, 'imagePath'> {
  /** The layer that it has on top of its image; so by default. */
  readonly rw?: boolean | undefined
  /** The image that it was made of, for servers that do not have it; so by default. */
  readonly image?: boolean | undefined
  /** The memory of its task; so by default. */
  readonly task?: boolean | undefined
}

/** As `ContainerHandle.checkpoint`, in the form that containerd's clients make and read. */
export async function checkpointContainer(
  stores: CheckpointStores,
  id: string,
  name: string,
  options: CheckpointContainerOptions = {},
): Promise<Image> {
  const { rw = true, image = true, task = true, signal } = options
  const container = await stores.containers.get(id, { signal })
  await requireFree(stores, name, options)
  await using lease = await stores.createLease({ signal })
  const { content, images } = lease.client
  const parts: Descriptor[] = [
    ...(await runtimeOptions(lease, container, options)),
    ...(image ? [await imageOf(stores, container, options)] : []),
  ]
  const take = async () => {
    if (rw) parts.push(own(await rwLayer(lease.client, container, { signal })))
    if (task) parts.push(...(await dumpTask(lease, container, options)).map(own))
  }
  if (task || (await runs(stores, id, options))) await whilePaused(stores.tasks, id, take, { signal })
  else await take()
  parts.push(...(task ? [await howDumped(lease, options)] : [await specOf(lease, container, options)]))

  const bytes = new TextEncoder().encode(indexJson(parts, container))
  const labels = childGcLabels(parts)
  const target = await writeBlob(content, bytes, { mediaType: mediaTypes.ociIndex, labels, signal })
  return await images.create({ name, target, labels: task ? { [checkpointLabel]: 'true' } : {} }, { signal })
}

async function requireFree(
  { images }: CheckpointStores,
  name: string,
  { signal }: CheckpointContainerOptions,
): Promise<void> {
  if (name === '') throw new NsboxError('invalid_argument', 'name of a checkpoint must not be empty')
  if (await undefinedIf(isNotFound, images.get(name, { signal })))
    throw new NsboxError('already_exists', `image ${JSON.stringify(name)}`)
}

async function runs(
  { tasks }: CheckpointStores,
  id: string,
  { signal }: CheckpointContainerOptions,
): Promise<boolean> {
  const task = await undefinedIf(isNotFound, tasks.get(id, { signal }))
  return task?.status === 'running' || task?.status === 'pausing'
}

async function imageOf(
  { images }: CheckpointStores,
  { id, image }: Container,
  { signal }: CheckpointContainerOptions,
): Promise<Descriptor> {
  if (image === '') throw new NsboxError('failed_precondition', `container ${id} was not made of an image`)
  return (await images.get(image, { signal })).target
}

async function runtimeOptions(
  { client }: CheckpointLease,
  { runtime: { options } }: Container,
  { signal }: CheckpointContainerOptions,
): Promise<Descriptor[]> {
  if (options === undefined || options.value.byteLength === 0) return []
  const mediaType = mediaTypes.checkpointRuntimeOptions
  return [own(await writeBlob(client.content, opaqueBytes(options), { mediaType, signal }))]
}

/** The options that the memory was dumped with, as a restore needs them. */
async function howDumped(
  { client }: CheckpointLease,
  options: CheckpointContainerOptions,
): Promise<Descriptor> {
  const { signal } = options
  const mediaType = mediaTypes.checkpointOptions
  return own(await writeBlob(client.content, opaqueBytes(checkpointOptions(options)), { mediaType, signal }))
}

/** The spec, for a checkpoint without memory: with memory, the server stores it. */
async function specOf(
  { client }: CheckpointLease,
  { spec }: Container,
  { signal }: CheckpointContainerOptions,
): Promise<Descriptor> {
  const mediaType = mediaTypes.checkpointConfig
  return own(await writeBlob(client.content, opaqueBytes(spec), { mediaType, signal }))
}

/** Adds the platform of this machine, which a part of a checkpoint is made for. */
function own(descriptor: Descriptor): Descriptor {
  const { os, architecture } = defaultPlatform()
  const platform: Platform = { os, architecture }
  return { ...descriptor, platform }
}

function indexJson(parts: readonly Descriptor[], { image, runtime, snapshotter }: Container): string {
  const annotations: Record<string, string> = {
    ...(image !== '' && { [checkpointAnnotations.imageOfTask]: image }),
    [checkpointAnnotations.runtime]: runtime.name,
    [checkpointAnnotations.snapshotter]: snapshotter,
    ...(image !== '' && { [checkpointAnnotations.image]: image }),
  }
  return JSON.stringify({ schemaVersion: 2, manifests: parts.map(descriptorJson), annotations })
}
