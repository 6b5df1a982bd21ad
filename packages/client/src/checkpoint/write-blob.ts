import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import { isAlreadyExists } from '@nsbox/errors'
import { type Descriptor, digestOf } from '@nsbox/oci'

/** Stores bytes as a blob, if it is not there yet, and adds the labels to it. @throws the errors of the store */
export async function writeBlob(
  content: ContentStore,
  bytes: Uint8Array,
  {
    mediaType,
    labels = {},
    signal,
  }: { readonly mediaType: string; readonly labels?: Labels | undefined } & AbortOptions,
): Promise<Descriptor> {
  const digest = digestOf(bytes)
  const size = bytes.byteLength
  try {
    const ingest = { ref: `checkpoint-${digest}`, expected: digest, total: size }
    await using writer = await content.writer(ingest, { signal })
    // An interrupted ingest could be longer.
    if (writer.status().offset > 0) await writer.restart({ signal })
    await writer.write(bytes, { signal })
    await writer.commit({ size, expected: digest, labels, signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    if (Object.keys(labels).length > 0) await content.update(digest, { merge: labels }, { signal })
  }
  return { mediaType, digest, size }
}
