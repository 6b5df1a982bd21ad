import type { Container } from '@nsbox/core/containers'
import { isAlreadyExists, isNotFound } from '@nsbox/errors'
import { type Descriptor, digestOf, mediaTypes, parseDigest } from '@nsbox/oci'
import { type CheckpointTaskOptions, checkpointOptions } from '../task/checkpoint-options.ts'
import { opaqueBytes } from './checkpoint-index.ts'
import type { CheckpointLease } from './checkpoint-stores.ts'

/**
 * Lets the server store the memory of a container's task.
 *
 * containerd 1.7 fails after the work is done if the container's spec is in the content store already, as it is from
 * the second checkpoint on. The lease then says what has been stored.
 *
 * @returns the descriptors of the memory and of the spec
 * @throws as `Tasks.checkpoint`
 */
export async function dumpTask(
  lease: CheckpointLease,
  container: Pick<Container, 'id' | 'spec'>,
  options: CheckpointTaskOptions,
): Promise<readonly Descriptor[]> {
  const { tasks } = lease.client
  const { parent, signal } = options
  const before = await contentOf(lease)
  try {
    return await tasks.checkpoint(container.id, { parent, options: checkpointOptions(options), signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const found = await whatWasStored(lease, container, before)
    if (found === undefined) throw error
    return found
  }
}

async function whatWasStored(
  lease: CheckpointLease,
  { spec }: Pick<Container, 'spec'>,
  before: ReadonlySet<string>,
): Promise<readonly Descriptor[] | undefined> {
  const { content } = lease.client
  const bytes = opaqueBytes(spec)
  const config = {
    mediaType: mediaTypes.checkpointConfig,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }
  const added = [...(await contentOf(lease))].filter(
    (digest) => !before.has(digest) && digest !== config.digest,
  )
  const [memory] = added
  if (memory === undefined || added.length > 1) return undefined
  try {
    await content.info(config.digest)
    const { digest, size } = await content.info(parseDigest(memory))
    return [{ mediaType: mediaTypes.checkpointCriu, digest, size }, config]
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function contentOf({ id, client }: CheckpointLease): Promise<ReadonlySet<string>> {
  const held = await client.leases.resources(id)
  return new Set(held.flatMap((resource) => (resource.type === 'content' ? [resource.id] : [])))
}
