import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import type { AbortOptions, ReadRange } from '@nsbox/core/content'
import { isErrno, NsboxError } from '@nsbox/errors'

const chunkSize = 256 * 1024

/**
 * Chunks up to this size are read synchronously: manifests and configs, which clients read repeatedly, are in the
 * kernel's memory, and passing the read to a thread takes several times as long.
 */
const smallChunk = 32 * 1024

const readInThread = promisify(read)

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
  const fd = openBlob(path, digest)
  try {
    const { size } = fstatSync(fd)
    if (offset > size) {
      throw new NsboxError('out_of_range', `content ${digest}: offset ${offset} of ${size} bytes`)
    }
    const end = Math.min(size, offset + length)
    for (let position = offset; position < end; ) {
      signal?.throwIfAborted()
      // Not from the shared pool: the caller keeps the chunk.
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - position))
      const bytesRead = await readAt(fd, chunk, position)
      if (bytesRead === 0) {
        throw new NsboxError('data_loss', `content ${digest}: ends at ${position} of ${size} bytes`)
      }
      position += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    closeSync(fd)
  }
}

function readAt(fd: number, chunk: Buffer, position: number): number | Promise<number> {
  const { length } = chunk
  if (length <= smallChunk) return readSync(fd, chunk, 0, length, position)
  return readInThread(fd, chunk, 0, length, position).then(({ bytesRead }) => bytesRead)
}

function openBlob(path: string, digest: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw contentNotFound(digest)
    throw error
  }
}

/** Clients of containerd compare this text (docs/behaviour.md §1). */
export function contentNotFound(digest: string): NsboxError {
  return new NsboxError('not_found', `content ${digest}`)
}
