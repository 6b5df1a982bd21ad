import { constants } from 'node:os'
import { CFunction } from '../c-function.ts'

const SPLICE_F_MOVE = 1
const SPLICE_F_NONBLOCK = 2
const { EAGAIN, EIO, EPIPE } = constants.errno

const splice = new CFunction(
  'long splice(int from, void *fromOffset, int to, void *toOffset, size_t length, uint flags)',
)
const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK

/**
 * The result of moving bytes: how many were moved; `again` if it would block; `end` at the end of the input, or if the
 * other side of a terminal has hung up; `closed` if the output can have no reader any more.
 */
export type SpliceResult = number | 'again' | 'end' | 'closed'

/**
 * Moves bytes from one descriptor to another, one of which is a pipe, without copying them to this process: if it is
 * killed, each byte is either still unread or was written (splice(2)). Does not block on a pipe; a terminal must be
 * non-blocking.
 */
export function spliceNow(from: number, to: number, length: number): SpliceResult {
  return resultOf(splice.call(from, null, to, null, length, flags))
}

/**
 * As `spliceNow`, in a thread: from a pipe to a file, which may block on its disk.
 * @param offset in the file; the descriptor's position is neither used nor changed
 */
export async function spliceToFile(
  from: number,
  file: number,
  offset: number,
  length: number,
): Promise<SpliceResult> {
  const position = new BigInt64Array([BigInt(offset)])
  return resultOf(await splice.callInThread(from, null, file, position, length, flags))
}

function resultOf(result: number): SpliceResult {
  if (result > 0) return result
  if (result === 0 || result === -EIO) return 'end'
  if (result === -EAGAIN) return 'again'
  if (result === -EPIPE) return 'closed'
  return splice.succeeded(result)
}
