import type { FileHandle } from 'node:fs/promises'
import type { AbortOptions } from '../supervisor.ts'
import { chunkBytes, readAt } from './read-at.ts'

const lineEnd = 0x0a

/**
 * Where the last lines of a file begin, found from its end, a chunk at a time. What follows the last line end is a line
 * as well.
 *
 * @param size which bytes of the file count
 * @returns 0 if it has no more lines than that
 */
export async function firstOfLastLines(
  file: FileHandle,
  size: number,
  lines: number,
  { signal }: AbortOptions = {},
): Promise<number> {
  if (lines === 0) return size
  let wanted = lines
  // The end of the last line is not the beginning of another one.
  let end = size - 1
  while (end > 0) {
    signal?.throwIfAborted()
    const start = Math.max(0, end - chunkBytes)
    const chunk = await readAt(file, start, end - start)
    for (let at = chunk.lastIndexOf(lineEnd); at !== -1; ) {
      wanted -= 1
      if (wanted === 0) return start + at + 1
      at = at === 0 ? -1 : chunk.lastIndexOf(lineEnd, at - 1)
    }
    end = start
  }
  return 0
}

/** Where the first line begins that begins after a position; `size` if none does. */
export async function lineAfter(
  file: FileHandle,
  position: number,
  size: number,
  { signal }: AbortOptions = {},
): Promise<number> {
  for (let start = position; start < size; ) {
    signal?.throwIfAborted()
    const chunk = await readAt(file, start, size - start)
    const at = chunk.indexOf(lineEnd)
    if (at !== -1) return start + at + 1
    if (chunk.length === 0) return size
    start += chunk.length
  }
  return size
}
