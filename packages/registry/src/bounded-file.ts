import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { AbortOptions } from '@nsbox/core/content'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'

/** Bytes that are read at once. */
const pieceSize = 64 * 1024

/**
 * The text of a configuration file, or undefined if it does not exist. Only regular files are read; a FIFO does not
 * block.
 *
 * @param limit most bytes
 * @throws `invalid_argument` beyond the limit and for anything but a regular file; `permission_denied`
 */
export async function readBoundedFile(
  path: string,
  limit: number,
  { signal }: AbortOptions = {},
): Promise<string | undefined> {
  signal?.throwIfAborted()
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) throw new NsboxError('invalid_argument', `${path}: not a regular file`)
    const pieces: Buffer[] = []
    for (let size = 0; size <= limit; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceSize, limit + 1 - size))
      const { bytesRead } = await file.read(piece, 0, piece.length, null)
      if (bytesRead === 0) return Buffer.concat(pieces).toString()
      pieces.push(piece.subarray(0, bytesRead))
      size += bytesRead
    }
    throw new NsboxError('invalid_argument', `${path}: more than ${limit} bytes`)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw fromSystemError(error, `reading ${path}`)
  }
}
