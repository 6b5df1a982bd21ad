import { readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isErrno, NsboxError } from '@nsbox/errors'

/**
 * The path of a place as in the mount table, without symbolic links, or undefined if there is none. The place itself is
 * not opened, since its mount may be dead.
 *
 * @throws `invalid_argument` if it is a symbolic link that may not be followed
 */
export async function resolvePlace(target: string, noFollow: boolean): Promise<string | undefined> {
  try {
    const name = basename(target)
    if (name === '' || name === '.' || name === '..') return await realpath(target)
    const path = join(await realpath(dirname(target)), name)
    if (!(await isLink(path))) return path
    if (noFollow) throw new NsboxError('invalid_argument', `${JSON.stringify(target)} is a symbolic link`)
    return await realpath(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    await readlink(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw error
    // EINVAL means another kind of file; ENOTCONN, ESTALE and EIO come from the root of a dead mount.
    return false
  }
}
