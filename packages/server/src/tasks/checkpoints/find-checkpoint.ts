import { type AbortOptions, type ContentReader, provedBlob } from '@nsbox/core/content'
import type { CheckpointImages } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, mediaTypes, parseDigest } from '@nsbox/oci'
import { extractCheckpoint } from './extract-archive.ts'

/**
 * Finds a checkpoint that a task is to go on from. Its bytes are proved while its images are written, whose error is
 * `data_loss` for what they are not, and as of `extractCheckpoint`.
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
 * Finds an earlier checkpoint by its digest, for another one that adds to it.
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
