import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { type ExportedFile, type ExportOptions, exportFiles } from './export-files.ts'
import type { ExportedImage } from './export-plan.ts'

/**
 * Exports images as a directory that is an OCI image layout; otherwise as `exportImages`. The directory appears
 * atomically, complete and synced; before, it must be empty or not exist.
 *
 * @throws `already_exists` for a directory that is not empty; as `exportImages`
 */
export async function exportToDirectory(
  images: readonly ExportedImage[],
  directory: string,
  options: ExportOptions,
): Promise<void> {
  const target = resolve(directory)
  const partial = `${target}.${randomUUID()}.partial`
  try {
    makeDirectories(join(partial, 'blobs/sha256'), 0o777)
    const parents = new Set([partial, join(partial, 'blobs'), join(partial, 'blobs/sha256')])
    for await (const file of exportFiles(images, options)) {
      const path = join(partial, file.name)
      await mkdir(dirname(path), { recursive: true })
      parents.add(dirname(path))
      await write(path, file, options.signal)
    }
    for (const parent of parents) await sync(parent)
    await rename(partial, target)
    await sync(dirname(target))
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (isErrno(error, 'ENOTEMPTY') || isErrno(error, 'EEXIST')) {
      throw new NsboxError('already_exists', `${directory}: is not empty`, { cause: error })
    }
    throw fromSystemError(error, directory)
  }
}

async function write(
  path: string,
  { content, mode }: ExportedFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using handle = await open(path, 'wx', mode)
  for await (const chunk of content) {
    signal?.throwIfAborted()
    await handle.writeFile(chunk)
  }
  await handle.sync()
}

async function sync(directory: string): Promise<void> {
  await using handle = await open(directory, 'r')
  await handle.sync()
}
