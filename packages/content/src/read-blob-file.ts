import { type FileHandle, open } from 'node:fs/promises'
import type { AbortOptions, ReadRange } from '@nsbox/core/content'
import { isErrno, NsboxError } from '@nsbox/errors'
import { contentNotFound } from './content-not-found.ts'

const chunkSize = 256 * 1024

/** Streams a range of a blob's file; see `ContentReader.read`. */
export async function* readBlobFile(
  path: string,
  digest: string,
  { offset = 0, length = Number.MAX_SAFE_INTEGER, signal }: ReadRange & AbortOptions,
): AsyncGenerator<Uint8Array> {
  for (const [name, value] of Object.entries({ offset, length })) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new NsboxError('invalid_argument', `content ${digest}: ${name} ${value}`)
  }
  signal?.throwIfAborted()
  const handle = await openBlob(path, digest)
  try {
    const { size } = await handle.stat()
    if (offset > size) {
      throw new NsboxError('out_of_range', `content ${digest}: offset ${offset} of ${size} bytes`)
    }
    const end = Math.min(size, offset + length)
    for (let position = offset; position < end; ) {
      signal?.throwIfAborted()
      // Not from the shared pool: the chunk is the caller's to keep.
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - position))
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position)
      if (bytesRead === 0) {
        throw new NsboxError('data_loss', `content ${digest}: ends at ${position} of ${size} bytes`)
      }
      position += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function openBlob(path: string, digest: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw contentNotFound(digest)
    throw error
  }
}
