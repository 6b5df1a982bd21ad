import { close, constants, fstat, read } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isNotFound, isNsboxError, NsboxError } from '@nsbox/errors'
import type { RootfsReader } from '@nsbox/oci/runtime-spec'
import { O_PATH, openat2, RESOLVE } from '@nsbox/sys'

const { O_DIRECTORY, O_NONBLOCK, O_RDONLY } = constants

/**
 * Reads files of the root filesystem at a directory, whose author may not be trusted: symbolic links are followed
 * within it, never out of it, and nothing but regular files is read (docs/threat-model.md B10, B13).
 */
export async function openRootfs(directory: string): Promise<RootfsReader & AsyncDisposable> {
  const root = await open(directory, O_PATH | O_DIRECTORY)
  return {
    async readFile(path, { maxBytes, signal }) {
      signal?.throwIfAborted()
      const descriptor = openInside(root.fd, path)
      if (descriptor === undefined) return undefined
      try {
        return await readAll(descriptor, `${path} of the root filesystem`, maxBytes)
      } finally {
        await promisify(close)(descriptor)
      }
    },
    [Symbol.asyncDispose]: () => root.close(),
  }
}

function openInside(root: number, path: string): number | undefined {
  try {
    return openat2(root, path, O_RDONLY | O_NONBLOCK, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS)
  } catch (error) {
    if (isNotFound(error) || (isNsboxError(error) && error.details?.errno === 'ENOTDIR')) return undefined
    throw error
  }
}

async function readAll(descriptor: number, name: string, maxBytes: number): Promise<Uint8Array> {
  if (!(await promisify(fstat)(descriptor)).isFile()) {
    throw new NsboxError('invalid_argument', `${name}: not a regular file`)
  }
  const bytes = Buffer.alloc(maxBytes + 1)
  for (let length = 0; ; ) {
    const { bytesRead } = await promisify(read)(descriptor, bytes, length, bytes.length - length, length)
    if (bytesRead === 0) return bytes.subarray(0, length)
    length += bytesRead
    if (length > maxBytes) throw new NsboxError('invalid_argument', `${name}: more than ${maxBytes} bytes`)
  }
}
