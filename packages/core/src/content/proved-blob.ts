import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { createHasher, type Descriptor, digestAlgorithm } from '@nsbox/oci'
import type { ContentReader } from './content-store.ts'

/**
 * The bytes of a blob of any size, verified against its descriptor at the end: do not rely on any of them before.
 * Otherwise as `ContentReader.read`.
 *
 * @throws `data_loss` if size or digest differ; `not_found`
 */
export async function* provedBlob(
  content: Pick<ContentReader, 'read'>,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  { signal }: AbortOptions = {},
): AsyncGenerator<Uint8Array> {
  const hasher = createHasher(digestAlgorithm(digest))
  let left = size
  for await (const chunk of content.read(digest, { signal })) {
    left -= chunk.byteLength
    if (left < 0) break
    hasher.update(chunk)
    yield chunk
  }
  if (left !== 0 || hasher.digest() !== digest) {
    throw new NsboxError('data_loss', `content ${digest}: its bytes are not what its digest and size say`)
  }
}
