import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { ArchiveFile } from './archive-file.ts'
import { linkedName, quoted } from './archive-name.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
const chunkSize = 256 * 1024
const maxDirectoryDepth = 16

/**
 * The files below a directory, in the order of their names. Symbolic links are told of and not followed; a FIFO or a
 * device is passed over.
 *
 * @throws `not_found`, `permission_denied`; `invalid_argument` for directories nested deeper than 16 levels
 */
export async function* directoryFiles(
  root: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveFile> {
  yield* below('', 0)

  async function* below(directory: string, depth: number): AsyncGenerator<ArchiveFile> {
    if (depth > maxDirectoryDepth) {
      throw new NsboxError('invalid_argument', `${quoted(directory)}: more than ${maxDirectoryDepth} levels`)
    }
    const found = await withCode(readdir(join(root, directory), { withFileTypes: true }), directory || root)
    for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      signal?.throwIfAborted()
      const name = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory()) yield* below(name, depth + 1)
      else if (entry.isSymbolicLink()) {
        yield { kind: 'link', name, target: linkedName(name, await readlink(join(root, name))) }
      } else if (entry.isFile()) yield* file(name)
    }
  }

  async function* file(name: string): AsyncGenerator<ArchiveFile> {
    const handle = await withCode(open(join(root, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK), name)
    try {
      const stat = await handle.stat()
      if (stat.isFile()) yield { kind: 'file', name, size: stat.size, content: contentOf(handle) }
    } finally {
      await handle.close()
    }
  }
}

async function* contentOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunkSize)
  for (let offset = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, chunkSize, offset)
    if (bytesRead === 0) return
    offset += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function withCode<T>(work: Promise<T>, name: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw fromSystemError(error, quoted(name))
  }
}
