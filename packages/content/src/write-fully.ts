import type { FileHandle } from 'node:fs/promises'

/** Writes all bytes at a position, in as many calls as needed: a disk that fills up takes only a part. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}
