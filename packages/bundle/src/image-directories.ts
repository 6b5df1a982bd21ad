import { mkdir, mkdtemp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { removeTree } from '@nsbox/trees'

/** A directory for images that is gone when it is disposed of. */
export interface ImageDirectory extends AsyncDisposable {
  readonly path: string
}

/**
 * Directories for images of checkpoints, which are as big as the memory of the processes; only root may enter them.
 * They are on a disk, and outlast the process that makes them.
 */
export class ImageDirectories {
  readonly #directory: string

  /** @param directory an absolute path, which need not exist */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Makes a new one. */
  async create(): Promise<ImageDirectory> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      const path = await mkdtemp(join(this.#directory, 'images-'))
      return { path, [Symbol.asyncDispose]: () => removeTree(path) }
    } catch (error) {
      throw fromSystemError(error, 'a directory for images of a checkpoint')
    }
  }

  /** Removes those of an earlier process. @param kept paths of those that are still needed */
  async clear(kept: ReadonlySet<string> = new Set()): Promise<void> {
    const paths = (await this.#names()).map((name) => join(this.#directory, name))
    await Promise.all(paths.filter((path) => !kept.has(path)).map((path) => removeTree(path)))
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw fromSystemError(error, 'directories for images of checkpoints')
    }
  }
}
