import { accessSync, constants, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isErrno } from '@nsbox/errors'

/** Where to look for a program. */
export interface SearchOptions {
  /** The value of `PATH`; that of execvp(3) if undefined. */
  readonly searchPath: string | undefined
  /** The directory that relative paths start from. */
  readonly from: string
}

const defaultPath = '/usr/local/bin:/bin:/usr/bin'

/**
 * Finds a program as execvp(3) does: a name without slash in the directories of a search path, any other from a
 * directory.
 * @throws with the code `EACCES` if only files that cannot be executed were found, else `ENOENT`
 */
export function findProgram(name: string, { searchPath = defaultPath, from }: SearchOptions): string {
  const candidates = name.includes('/')
    ? [resolve(from, name)]
    : searchPath.split(':').map((directory) => join(resolve(from, directory), name))
  let refusal: unknown
  for (const path of candidates) {
    try {
      // Most directories do not have it, and an exception takes five times as long as this check.
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue
      accessSync(path, constants.X_OK)
      return path
    } catch (error) {
      if (isErrno(error, 'EACCES')) refusal = error
      else if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error
    }
  }
  throw refusal ?? Object.assign(new Error('ENOENT: no such program'), { code: 'ENOENT' })
}
