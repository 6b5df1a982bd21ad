import { linkSync, lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import { removeTree } from '@nsbox/trees'
import { removeRootfs } from './rootfs.ts'

/** Files of an exec, in a directory of its own. */
export interface ExecFiles {
  /** The OCI process as JSON. */
  readonly process: string
  /** Where the runtime writes its errors. */
  readonly log: string
  /** Where the runtime writes its pid. */
  readonly pidFile: string
}

/** The directory of one container for its runtime. */
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

  /** Where the runtime writes the pid of the first process. */
  get pidFile(): string {
    return join(this.path, 'init.pid')
  }

  /** A FIFO for whatever runs in the bundle, whose lines are in the daemon's log. */
  get logFifo(): string {
    return join(this.path, 'log')
  }

  /** Directory for CRIU's log and temporary files; made by its user. */
  get criu(): string {
    return join(this.path, 'criu')
  }

  /**
   * Gives it a file that it shares with others, under the same name, such as their log.
   * @param file on the same file system
   */
  share(file: string): void {
    const name = basename(file)
    try {
      linkSync(file, join(this.path, name))
    } catch (error) {
      throw fromSystemError(error, `${name} of the bundle of ${JSON.stringify(this.id)}`)
    }
  }

  /**
   * Makes the files of an exec.
   * @throws already_exists; invalid_argument for an id that is no identifier
   */
  addExec(execId: string, process: Uint8Array): ExecFiles {
    const { directory, files } = this.#exec(execId)
    const context = `bundle of exec ${JSON.stringify(execId)}`
    try {
      mkdirSync(dirname(directory), { recursive: true, mode: 0o700 })
      mkdirSync(directory, { mode: 0o700 })
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new NsboxError('already_exists', context)
      throw fromSystemError(error, context)
    }
    try {
      writeFileSync(files.process, process, { flag: 'wx', mode: 0o600 })
      return files
    } catch (error) {
      this.removeExec(execId)
      throw fromSystemError(error, context)
    }
  }

  /** The paths of an exec's files. @throws invalid_argument for an id that is no identifier */
  execFiles(execId: string): ExecFiles {
    return this.#exec(execId).files
  }

  /** The execs that have files, including those whose files were being made or removed when the daemon died. */
  execIds(): string[] {
    try {
      return readdirSync(join(this.path, 'execs'))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw fromSystemError(error, `execs of ${JSON.stringify(this.id)}`)
    }
  }

  /** Removes the files of an exec, as far as there are any. */
  removeExec(execId: string): void {
    const { directory, files } = this.#exec(execId)
    for (const file of Object.values(files)) unless(['ENOENT'], () => unlinkSync(file))
    unless(['ENOENT'], () => rmdirSync(directory))
    // Stays while it has others.
    unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(dirname(directory)))
  }

  /**
   * Unmounts the root file system and removes the directory with its content; parts may be missing. Removes nothing
   * while something is mounted in it.
   *
   * @throws failed_precondition if something is mounted at an unexpected place
   */
  async remove(): Promise<void> {
    try {
      await removeRootfs(this.rootfs)
      for (const entry of readdirSync(this.path, { withFileTypes: true })) {
        const path = join(this.path, entry.name)
        if (entry.isDirectory()) await removeTree(path)
        else unlinkSync(path)
      }
      rmdirSync(this.path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT'))
        throw fromSystemError(error, `removing the bundle of ${JSON.stringify(this.id)}`)
      // Another call removes it too; or else something within it has vanished.
      if (exists(this.path)) return this.remove()
    }
    // The namespace's directory exists while it has containers.
    unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(dirname(this.path)))
  }

  #exec(execId: string): { directory: string; files: ExecFiles } {
    validateIdentifier(execId)
    const directory = join(this.path, 'execs', execId)
    const pidFile = join(this.path, `${execId}.pid`)
    return {
      directory,
      files: { process: join(directory, 'process.json'), log: join(directory, 'log.json'), pidFile },
    }
  }
}

/** Ignores certain errors of an action. */
function unless(errnos: readonly string[], action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!errnos.some((errno) => isErrno(error, errno))) throw error
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
