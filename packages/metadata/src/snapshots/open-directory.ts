import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'

/** An open directory, which stays the same even if its name is reused. */
export interface OpenDirectory extends AsyncDisposable {
  /** A path that leads to it in every thread of this process, for as long as it is open. */
  readonly path: string
  /** Its name when it was opened, without symbolic links. */
  readonly realPath: string
}

/**
 * Opens a directory, following links in its path.
 * @throws `not_found`; `invalid_argument` for other files, and for a directory outside of this process's view
 */
export async function openDirectory(path: string): Promise<OpenDirectory> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    // With the dot the last component is no link, which some calls refuse to follow.
    const own = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/.` : await realpath(path)
    try {
      const realPath = await realpath(own)
      if (!(await leadsTo(realPath, handle)))
        throw new NsboxError('invalid_argument', 'it is in no place that this process sees')
      return { path: own, realPath, [Symbol.asyncDispose]: () => handle.close() }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw fromSystemError(error, `opening the directory of a layer: ${JSON.stringify(path)}`)
  }
}

async function leadsTo(path: string, handle: FileHandle): Promise<boolean> {
  const [there, own] = await Promise.all([stat(path, { bigint: true }), handle.stat({ bigint: true })])
  return there.dev === own.dev && there.ino === own.ino
}
