import { NsboxError } from '@nsbox/errors'
import type { MountInfo } from './mount-info.ts'
import { parseMountInfo } from './parse-mount-info.ts'

// An overlay of 500 layers with paths of full length has a line of 2 MB.
const maxLine = 16 * 1024 * 1024

const newline = 10

/**
 * Reads a mount table line by line.
 *
 * @throws `internal` for a malformed line; `resource_exhausted` for one over 16 MiB
 */
export async function* readMountTable(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<MountInfo> {
  let pending: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(newline, start)
      if (end === -1) break
      pending.push(chunk.subarray(start, end))
      start = end + 1
      const line = pending.length === 1 ? pending[0]! : Buffer.concat(pending)
      pending = []
      size = 0
      if (line.length > 0) yield parseMountInfo(line)
    }
    if (start === chunk.length) continue
    pending.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > maxLine) throw new NsboxError('resource_exhausted', 'mount table: line over 16 MiB')
  }
  if (size > 0) yield parseMountInfo(Buffer.concat(pending))
}
