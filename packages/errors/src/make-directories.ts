import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from './system-error.ts'

/**
 * Makes a directory, and those above it that are missing. Node's own `recursive` tries for ever where making one fails
 * with ENOENT though the one above exists, as in /proc; this fails with that error. Synchronous, since entries of
 * directories are made in less than half of the time that another thread takes for it.
 *
 * @param mode of those that are made, less the umask; one that exists keeps its own
 * @returns those that were made, the uppermost first
 * @throws errors of the system, which name the directory that cannot be made; `EEXIST` for a file of that name
 */
export function makeDirectories(path: string, mode: number): string[] {
  const missing: string[] = []
  for (let at = path; !isDirectory(at) && missing.at(-1) !== at; at = dirname(at)) missing.push(at)
  return missing.reverse().filter((directory) => {
    try {
      mkdirSync(directory, { mode })
      return true
    } catch (error) {
      // Somebody else has made it meanwhile; or it is a file, of which making the next one will tell.
      if (isErrno(error, 'EEXIST') && (directory !== path || isDirectory(directory))) return false
      throw error
    }
  })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
