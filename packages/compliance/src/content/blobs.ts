import { randomBytes } from 'node:crypto'
import type { CommitOptions, ContentInfo, ContentStore } from '@nsbox/core/content'
import { type Digest, type DigestAlgorithm, digestOf } from '@nsbox/oci'

/** Bytes and their digest. */
export interface Blob {
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/** Bytes that no store has seen before: some stores share equal blobs between tests. */
export function newBlob(length: number, algorithm: DigestAlgorithm = 'sha256'): Blob {
  const bytes = new Uint8Array(randomBytes(length))
  return { bytes, digest: digestOf(bytes, algorithm) }
}

/**
 * Stores a blob by an ingest that is named after it. If the store shares the bytes of another namespace, the writer
 * starts at their end.
 */
export async function put(store: ContentStore, blob: Blob, options?: CommitOptions): Promise<ContentInfo> {
  await using writer = await store.writer({ ref: `put-${blob.digest}`, expected: blob.digest })
  await writer.write(blob.bytes.subarray(writer.status().offset))
  return await writer.commit(options)
}

/** Opens an ingest, writes, and closes it again. */
export async function interrupt(store: ContentStore, ref: string, bytes: Uint8Array): Promise<void> {
  await using writer = await store.writer({ ref })
  await writer.write(bytes)
}

/** All bytes of a stream as one. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

/** All items of a stream. */
export async function items<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = []
  for await (const item of stream) result.push(item)
  return result
}

/** Whether two runs of bytes are equal; an assertion on the arrays would print megabytes when it fails. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
