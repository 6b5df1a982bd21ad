import { type AbortOptions, type ContentReader, provedBlob } from '@nsbox/core/content'
import type { CheckpointImages } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, mediaTypes, parseDigest } from '@nsbox/oci'
import { extractCheckpoint } from './extract-archive.ts'

/**
 * Finds the checkpoint to restore a task from. Its digest is verified while its images are extracted, which fails with
 * `data_loss` or the errors of `extractCheckpoint`.
 *
 * @throws `invalid_argument` for a descriptor of something else, or with another size; `not_found`
 */
export async function findCheckpoint(
  content: ContentReader,
  { mediaType, digest, size }: Descriptor,
  { signal }: AbortOptions = {},
): Promise<CheckpointImages> {
  if (mediaType !== mediaTypes.checkpointCriu) {
    const what = `checkpoint ${digest}: media type ${JSON.stringify(mediaType)}`
    throw new NsboxError('invalid_argument', `${what}, not ${mediaTypes.checkpointCriu}`)
  }
  const info = await content.info(digest, { signal })
  if (info.size === size) return imagesOf(content, info)
  const what = `checkpoint ${digest}: ${info.size} bytes`
  throw new NsboxError('invalid_argument', `${what}, its descriptor says ${size}`)
}

/**
 * Finds the parent of a checkpoint by its digest.
 * @throws `invalid_argument` for a malformed digest; `not_found`
 */
export async function findParent(
  content: ContentReader,
  parent: string,
  { signal }: AbortOptions = {},
): Promise<CheckpointImages> {
  return imagesOf(content, await content.info(parseDigest(parent), { signal }))
}

function imagesOf(content: ContentReader, blob: Pick<Descriptor, 'digest' | 'size'>): CheckpointImages {
  const { digest, size } = blob
  return (directory, { signal }) => {
    const archive = provedBlob(content, { digest, size }, { signal })
    return extractCheckpoint(archive, directory, { size, signal })
  }
}
