import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { fromSystemError } from '@nsbox/errors'

/** A directory that stays the same one, whatever its name comes to lead to. */
export interface OpenDirectory extends AsyncDisposable {
  /** A path that leads to it in every thread of this process, for as long as it is open. */
  readonly path: string
  /** Its name when it was opened, without symbolic links. */
  readonly realPath: string
}

/** Opens a directory, by whatever links its path has. @throws `not_found`, and `invalid_argument` for what is none */
export async function openDirectory(path: string): Promise<OpenDirectory> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    // With the dot the last component is no link, which some refuse to follow.
    const own = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/.` : await realpath(path)
    try {
      return {
        path: own,
        realPath: await realpath(own),
        [Symbol.asyncDispose]: () => handle.close(),
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw fromSystemError(error, `opening the directory of a layer: ${JSON.stringify(path)}`)
  }
}
