import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { createHasher, type Descriptor, digestAlgorithm } from '@nsbox/oci'
import type { ContentReader } from './content-store.ts'

/**
 * Reads a whole blob into memory and verifies it against its descriptor.
 *
 * @param limit most bytes to accept, against memory exhaustion
 * @throws `resource_exhausted` beyond the limit, before anything is read; `data_loss` if size or digest differ;
 * `not_found`
 */
export async function readBlob(
  content: Pick<ContentReader, 'read'>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  { limit, signal }: { limit: number } & AbortOptions,
): Promise<Uint8Array> {
  const { digest, size } = descriptor
  if (size > limit) {
    throw new NsboxError('resource_exhausted', `content ${digest}: ${size} bytes, at most ${limit} are read`)
  }
  const bytes = new Uint8Array(size)
  const hasher = createHasher(digestAlgorithm(digest))
  let offset = 0
  for await (const chunk of content.read(digest, { signal })) {
    if (offset + chunk.byteLength > size) {
      throw new NsboxError('data_loss', `content ${digest}: more than the ${size} bytes of its descriptor`)
    }
    bytes.set(chunk, offset)
    hasher.update(chunk)
    offset += chunk.byteLength
  }
  if (offset !== size) {
    throw new NsboxError('data_loss', `content ${digest}: ${offset} bytes, its descriptor says ${size}`)
  }
  const actual = hasher.digest()
  if (actual !== digest)
    throw new NsboxError('data_loss', `content ${digest}: its bytes have digest ${actual}`)
  return bytes
}
