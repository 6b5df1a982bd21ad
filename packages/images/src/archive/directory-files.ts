import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, NsboxError, quoted } from '@nsbox/errors'
import type { ArchiveFile } from './archive-file.ts'
import { linkedName } from './archive-name.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
const chunkSize = 256 * 1024
const maxDirectoryDepth = 16

/**
 * The files below a directory, in the order of their names. Symbolic links are listed and not followed, even if one
 * replaces a directory meanwhile; FIFOs and devices are left out.
 *
 * @throws `not_found`, `permission_denied`; `invalid_argument` for directories nested deeper than 16 levels
 */
export async function* directoryFiles(
  root: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveFile> {
  // The root itself may be a symbolic link.
  yield* below({ path: root, name: '', depth: 0, flags: O_RDONLY | O_DIRECTORY }, root, signal)
}

interface Level {
  readonly path: string
  /** Relative to the root. */
  readonly name: string
  readonly depth: number
  /** How it is opened. */
  readonly flags: number
}

async function* below(
  level: Level,
  root: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveFile> {
  const { name: directory, depth } = level
  if (depth > maxDirectoryDepth)
    throw new NsboxError('invalid_argument', `${quoted(directory)}: more than ${maxDirectoryDepth} levels`)
  await using handle = await withCode(open(level.path, level.flags), directory || root)
  const here = pathTo(handle, level.path)
  const found = await withCode(readdir(here, { withFileTypes: true }), directory || root)
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    signal?.throwIfAborted()
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`
    const path = join(here, entry.name)
    if (entry.isDirectory())
      yield* below({ path, name, depth: depth + 1, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW }, root, signal)
    else if (entry.isSymbolicLink())
      yield { kind: 'link', name, target: linkedName(name, await withCode(readlink(path), name)) }
    else if (entry.isFile()) yield* file(path, name)
  }
}

/** A path to the open directory itself, where the platform has such paths. */
function pathTo({ fd }: FileHandle, path: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path
}

async function* file(path: string, name: string): AsyncGenerator<ArchiveFile> {
  await using handle = await withCode(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), name)
  const stat = await handle.stat()
  if (stat.isFile()) yield { kind: 'file', name, size: stat.size, content: contentOf(handle) }
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
