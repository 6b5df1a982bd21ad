import type { FileHandle } from 'node:fs/promises'

/** Bytes that are read at once. */
export const chunkBytes = 64 << 10

/** Reads what there is from a position on, at most `most` bytes and 64 KiB; nothing at the end. */
export async function readAt(file: FileHandle, position: number, most = chunkBytes): Promise<Buffer> {
  const wanted = Math.min(most, chunkBytes)
  if (wanted <= 0) return Buffer.alloc(0)
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(wanted), position })
  return buffer.subarray(0, bytesRead)
}
