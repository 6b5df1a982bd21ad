import { constants } from 'node:fs'
import { lstat, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inBlocks, padding, tarHeader } from '@nsbox/diff/archive'
import { fromSystemError, NsboxError } from '@nsbox/errors'

/** CRIU's name for the images of the parent checkpoint: a link to their directory, or that directory itself. */
const parentName = 'parent'

/** Bytes. */
const pieceSize = 256 * 1024

const nobody = { uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, major: 0, minor: 0 }

/**
 * The images of a checkpoint as a tar archive: files and directories, sorted, without owners and times. The images of a
 * parent checkpoint are included as the directory `parent`, so each archive is complete by itself.
 *
 * @throws `failed_precondition` for anything but files and directories; `aborted` if a file changes meanwhile
 */
export function checkpointArchive(directory: string): AsyncIterable<Uint8Array> {
  return inBlocks(archive(directory))
}

async function* archive(directory: string): AsyncGenerator<Uint8Array> {
  try {
    yield* entries(directory, '')
  } catch (error) {
    throw fromSystemError(error, 'reading the images of a checkpoint')
  }
  yield Buffer.alloc(1024)
}

async function* entries(directory: string, prefix: string): AsyncGenerator<Uint8Array> {
  for (const each of (await readdir(directory)).sort()) {
    const path = join(directory, each)
    const name = `${prefix}${each}`
    const stats = await (each === parentName ? stat(path) : lstat(path))
    if (stats.isDirectory()) {
      yield header(`${name}/`, 'directory', 0o700, 0)
      yield* entries(path, `${name}/`)
    } else if (stats.isFile()) yield* file(path, name)
    else throw unexpected(name)
  }
}

/** The pieces of content are valid until the next one is asked for. */
async function* file(path: string, name: string): AsyncGenerator<Uint8Array> {
  await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const stats = await handle.stat()
  if (!stats.isFile()) throw unexpected(name)
  const { size } = stats
  yield header(name, 'file', 0o600, size)
  const buffer = Buffer.allocUnsafe(Math.min(pieceSize, size))
  for (let offset = 0; offset < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - offset), offset)
    if (bytesRead === 0)
      throw new NsboxError('aborted', `image ${JSON.stringify(name)} of a checkpoint: it is being changed`)
    offset += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
  yield padding(size)
}

function header(name: string, type: 'file' | 'directory', mode: number, size: number): Uint8Array {
  const bytes = Buffer.from(name).toString('latin1')
  return tarHeader({ type, name: bytes, linkName: '', mode, size, ...nobody, xattrs: new Map() })
}

function unexpected(name: string): NsboxError {
  return new NsboxError(
    'failed_precondition',
    `image ${JSON.stringify(name)} of a checkpoint: neither a file nor a directory`,
  )
}
