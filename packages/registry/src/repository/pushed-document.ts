import { runYielding } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, indexSteps, isManifest, manifestSteps, maxDocumentSize } from '@nsbox/oci'

/** A manifest or index that is about to be pushed. */
export interface PushedDocument {
  readonly bytes: Uint8Array
  /** What it says that it refers to (OCI image specification, manifest.md, "subject"). */
  readonly subject: Descriptor | undefined
  /** What a list of the subject's referrers says of it (OCI distribution specification, "Listing Referrers"). */
  readonly referrer: Descriptor
}

/**
 * Reads a document from its source.
 * @throws `resource_exhausted` beyond `maxDocumentSize`; `failed_precondition` if it has another size than its
 * descriptor says; `invalid_argument` if it is no document of its media type
 */
export async function readDocument(
  { mediaType, digest, size }: Descriptor,
  read: () => AsyncIterable<Uint8Array>,
): Promise<PushedDocument> {
  if (size > maxDocumentSize)
    throw new NsboxError(
      'resource_exhausted',
      `manifest ${digest}: ${size} bytes, at most ${maxDocumentSize}`,
    )
  const bytes = Buffer.alloc(size)
  let length = 0
  for await (const chunk of read()) {
    bytes.set(chunk.subarray(0, size - length), length)
    length += chunk.byteLength
    if (length > size) break
  }
  if (length !== size)
    throw new NsboxError('failed_precondition', `manifest ${digest}: its bytes are not ${size}`)
  const known = { mediaType, digest }
  const document = isManifest(mediaType)
    ? await runYielding(manifestSteps(bytes, known))
    : await runYielding(indexSteps(bytes, known))
  const { subject, annotations } = document
  const artifactType = document.artifactType || ('config' in document ? document.config.mediaType : undefined)
  return { bytes, subject, referrer: { mediaType, digest, size, artifactType, annotations } }
}
