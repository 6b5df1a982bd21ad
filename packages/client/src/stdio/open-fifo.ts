import { close, constants, fstat, open } from 'node:fs'
import { promisify } from 'node:util'
import { NsboxError } from '@nsbox/errors'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/**
 * Opens one end of a FIFO and returns the descriptor, without waiting: writing needs a reader, reading no writer. A
 * file that has taken the FIFO's place is not touched (docs/threat-model.md D08).
 *
 * @throws an error of the system with code `ENXIO` for writing without a reader, `ENOENT`; `failed_precondition` for
 * another kind of file
 */
export async function openFifo(path: string, end: 'read' | 'write'): Promise<number> {
  const flags = (end === 'read' ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOFOLLOW
  const descriptor = await promisify(open)(path, flags)
  const stats = await promisify(fstat)(descriptor)
  if (stats.isFIFO()) return descriptor
  await closeDescriptor(descriptor)
  throw new NsboxError('failed_precondition', `${path} is no FIFO`)
}

/** Closes a descriptor. */
export const closeDescriptor = promisify(close)
