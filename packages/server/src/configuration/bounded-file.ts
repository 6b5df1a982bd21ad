import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'

/** The most bytes that a file of the configuration may have. */
const maxBytes = 1 << 20

/**
 * Reads a file of the configuration.
 *
 * @param what names the file in errors, such as `configuration /etc/nsbox/config.toml`
 * @param accept checks the opened file, and throws if it must not be read
 * @throws `not_found`, `permission_denied`; `invalid_argument` if it is too large
 */
export async function readBoundedFile(
  path: string,
  what: string,
  accept: (file: Stats) => void = () => {},
): Promise<string> {
  try {
    // Does not block, even for a FIFO.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    accept(await file.stat())
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0)
    if (bytesRead > maxBytes)
      throw new NsboxError('invalid_argument', `${what}: larger than ${maxBytes} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    throw fromSystemError(error, what)
  }
}

/**
 * Accepts a regular file that only root or the user of this process can change.
 * @throws `permission_denied`
 */
export function ownFile(what: string): (file: Stats) => void {
  return (file) => {
    const refuse = (why: string) => new NsboxError('permission_denied', `${what}: ${why}`)
    if (!file.isFile()) throw refuse('is no regular file')
    if (file.uid !== 0 && file.uid !== process.geteuid?.())
      throw refuse(`belongs to user ${file.uid}, neither to root nor to the server's own`)
    if ((file.mode & 0o022) !== 0)
      throw refuse(`others than its owner can write to it (mode ${(file.mode & 0o7777).toString(8)})`)
  }
}
