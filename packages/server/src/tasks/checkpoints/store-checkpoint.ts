import { randomUUID } from 'node:crypto'
import { create, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import type { AbortOptions, ContentWriter, IngestManager } from '@nsbox/core/content'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { isAlreadyExists, isNsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, isDigest, mediaTypes } from '@nsbox/oci'
import { checkpointArchive } from './write-archive.ts'

/** The parts of a checkpoint. */
export interface CheckpointParts {
  /** The directory of the images of the processes. */
  readonly images: string
  /** The container's spec, as it is kept. */
  readonly spec: OpaqueValue
}

/**
 * Stores a checkpoint as two blobs: the archive of its images, and the container's spec as the bytes of a
 * `google.protobuf.Any` (docs/behaviour.md §13). A blob that exists stays as it is. Only the lease of the content holds
 * them so far. An error leaves no ingest.
 *
 * @returns the descriptors, in this order
 * @throws as `checkpointArchive`; `resource_exhausted` if the disk is full
 */
export async function storeCheckpoint(
  content: IngestManager,
  { images, spec }: CheckpointParts,
  options: AbortOptions,
): Promise<Descriptor[]> {
  const any = toBinary(AnySchema, create(AnySchema, { typeUrl: spec.typeUrl, value: spec.value }))
  return [
    await storeBlob(content, mediaTypes.checkpointCriu, checkpointArchive(images), options),
    await storeBlob(content, mediaTypes.checkpointConfig, [any], options),
  ]
}

async function storeBlob(
  content: IngestManager,
  mediaType: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal }: AbortOptions,
): Promise<Descriptor> {
  const ref = `checkpoint-${randomUUID()}`
  let size = 0
  try {
    await using writer = await content.writer({ ref }, { signal })
    for await (const chunk of bytes) {
      size += chunk.byteLength
      await writer.write(chunk, { signal })
    }
    return { mediaType, digest: await commit(writer, { signal }), size }
  } catch (error) {
    // Usually the ingest is gone already. If this fails, the first error matters more, and the ingest expires.
    await content.abort(ref).catch(() => {})
    throw error
  }
}

async function commit(writer: ContentWriter, options: AbortOptions): Promise<Digest> {
  try {
    return (await writer.commit(options)).digest
  } catch (error) {
    const digest = isAlreadyExists(error) && isNsboxError(error) && error.details.digest
    if (isDigest(digest)) return digest
    throw error
  }
}
