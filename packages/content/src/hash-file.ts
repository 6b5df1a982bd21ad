import type { FileHandle } from 'node:fs/promises'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { createHasher, type DigestAlgorithm, type Hasher } from '@nsbox/oci'

const pieceSize = 1024 * 1024

/**
 * A hasher that has seen the first bytes of a file.
 *
 * @param length how many; the file must have them
 * @throws `data_loss` if the file is shorter
 */
export async function hashFile(
  handle: FileHandle,
  length: number,
  { algorithm, signal }: { algorithm: DigestAlgorithm } & AbortOptions,
): Promise<Hasher> {
  const hasher = createHasher(algorithm)
  const buffer = Buffer.allocUnsafe(Math.min(pieceSize, length))
  for (let offset = 0; offset < length; ) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - offset), offset)
    if (bytesRead === 0) throw new NsboxError('data_loss', `a file has ${offset} bytes instead of ${length}`)
    hasher.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
  }
  return hasher
}
