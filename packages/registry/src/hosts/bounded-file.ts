import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { AbortOptions } from '@nsbox/core/content'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'

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
    const buffer = Buffer.alloc(limit + 1)
    let size = 0
    while (size <= limit) {
      const { bytesRead } = await file.read(buffer, size, limit + 1 - size, null)
      if (bytesRead === 0) return buffer.toString('utf8', 0, size)
      size += bytesRead
    }
    throw new NsboxError('invalid_argument', `${path}: more than ${limit} bytes`)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw fromSystemError(error, `reading ${path}`)
  }
}
