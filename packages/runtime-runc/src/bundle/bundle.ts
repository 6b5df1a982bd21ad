import { lstat, mkdir, readdir, rmdir, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { removeTree } from '@nsbox/mount'
import { validateIdentifier } from '@nsbox/namespaces'
import { removeRootfs } from './rootfs.ts'

/** Files of an exec, in a directory of its own. */
export interface ExecFiles {
  /** The OCI process as JSON. */
  readonly process: string
  /** Where the runtime writes its errors. */
  readonly log: string
}

/** The directory of a container that the runtime is given. */
export class Bundle {
  readonly namespace: string
  readonly id: string
  readonly path: string

  /** @internal use `Bundles` */
  constructor(namespace: string, id: string, path: string) {
    this.namespace = namespace
    this.id = id
    this.path = path
  }

  get rootfs(): string {
    return join(this.path, 'rootfs')
  }

  get config(): string {
    return join(this.path, 'config.json')
  }

  /** Where the runtime writes its errors when it makes the container. */
  get log(): string {
    return join(this.path, 'log.json')
  }

  /**
   * Makes the files of an exec.
   * @throws already_exists; invalid_argument for an id that is no identifier
   */
  async addExec(execId: string, process: Uint8Array): Promise<ExecFiles> {
    const { directory, files } = this.#exec(execId)
    try {
      await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
      await mkdir(directory, { mode: 0o700 })
      await writeFile(files.process, process, { flag: 'wx', mode: 0o600 })
      return files
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new NsboxError('already_exists', `exec ${JSON.stringify(execId)}`)
      throw fromSystemError(error, `bundle of exec ${JSON.stringify(execId)}`)
    }
  }

  /** Where the files of an exec are. @throws invalid_argument for an id that is no identifier */
  execFiles(execId: string): ExecFiles {
    return this.#exec(execId).files
  }

  /** The execs that have files, also those whose files were being made or removed when the daemon died. */
  async execIds(): Promise<string[]> {
    try {
      return await readdir(join(this.path, 'execs'))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw fromSystemError(error, `execs of ${JSON.stringify(this.id)}`)
    }
  }

  /** Removes the files of an exec, as far as there are any. */
  async removeExec(execId: string): Promise<void> {
    const { directory, files } = this.#exec(execId)
    for (const file of Object.values(files)) await unlink(file).catch(ignore('ENOENT'))
    await rmdir(directory).catch(ignore('ENOENT'))
  }

  /**
   * Unmounts the root file system and removes the directory with all that is in it, as far as anything is left. Where
   * something is mounted nothing is removed.
   *
   * @throws failed_precondition if something is mounted in a place where nothing should be
   */
  async remove(): Promise<void> {
    try {
      await removeRootfs(this.rootfs)
      for (const entry of await readdir(this.path, { withFileTypes: true })) {
        const path = join(this.path, entry.name)
        if (entry.isDirectory()) await removeTree(path)
        else await unlink(path)
      }
      await rmdir(this.path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT'))
        throw fromSystemError(error, `removing the bundle of ${JSON.stringify(this.id)}`)
      // Somebody else removes it too, or has done so; unless something below it is what is missing.
      if (await exists(this.path)) return this.remove()
    }
    // The namespace's directory is there as long as it has containers.
    await rmdir(dirname(this.path)).catch(ignore('ENOENT', 'ENOTEMPTY', 'EEXIST'))
  }

  #exec(execId: string): { directory: string; files: ExecFiles } {
    validateIdentifier(execId)
    const directory = join(this.path, 'execs', execId)
    return {
      directory,
      files: { process: join(directory, 'process.json'), log: join(directory, 'log.json') },
    }
  }
}

function ignore(...errnos: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!errnos.some((errno) => isErrno(error, errno))) throw error
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
