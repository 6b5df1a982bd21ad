import type { AbortOptions } from '@nsbox/concurrency'
import { runYielding } from '@nsbox/concurrency'
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  imageConfigSteps,
  indexSteps,
  type Manifest,
  manifestSteps,
  maxDocumentSize,
} from '@nsbox/oci'
import type { ContentReader } from './content-store.ts'
import { readBlob } from './read-blob.ts'

type Reader = Pick<ContentReader, 'read'>

/**
 * Reads a manifest, which may have 4 MiB, without blocking the event loop.
 * @throws as `readBlob` and `parseManifest`
 */
export async function readManifest(
  content: Reader,
  descriptor: Descriptor,
  { signal }: AbortOptions = {},
): Promise<Manifest> {
  const bytes = await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
  return await runYielding(manifestSteps(bytes, descriptor), { signal })
}

/**
 * Reads an index as `readManifest` reads a manifest.
 * @throws as `readBlob` and `parseIndex`
 */
export async function readIndex(
  content: Reader,
  descriptor: Descriptor,
  { signal }: AbortOptions = {},
): Promise<Index> {
  const bytes = await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
  return await runYielding(indexSteps(bytes, descriptor), { signal })
}

/**
 * Reads the config of an image as `readManifest` reads a manifest.
 * @throws as `readBlob` and `parseImageConfig`
 */
export async function readImageConfig(
  content: Reader,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  { signal }: AbortOptions = {},
): Promise<ImageConfig> {
  const bytes = await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
  return await runYielding(imageConfigSteps(bytes, descriptor), { signal })
}
