import type { AbortOptions, ContentReader } from '@nsbox/core/content'
import { sniffCompression } from '@nsbox/diff/archive'
import type { Digest, LayerCompression } from '@nsbox/oci'

/** How a blob is compressed, as its first bytes tell. */
export async function blobCompression(
  content: Pick<ContentReader, 'read'>,
  digest: Digest,
  { signal }: AbortOptions = {},
): Promise<LayerCompression> {
  const start: Uint8Array[] = []
  for await (const chunk of content.read(digest, { length: 4, signal })) start.push(chunk)
  return sniffCompression(Buffer.concat(start))
}
