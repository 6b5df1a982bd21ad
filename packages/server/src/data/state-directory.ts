import { chmod, mkdtemp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { makePassable } from '@nsbox/mount'
import { removeTree } from '@nsbox/trees'
import { requireOwnDirectory } from './own-directory.ts'

/**
 * The directory of sockets and of other state until the next boot. Containers in user namespaces need search permission
 * on it for their root filesystems; its entries are protected by their own modes (docs/threat-model.md D01).
 */
export interface StateDirectory extends AsyncDisposable {
  readonly path: string
}

/**
 * Opens a directory for state, and makes it (0711) if it does not exist. Without a path it is a temporary one that is
 * removed at the end.
 *
 * @throws `failed_precondition` for a directory that is another user's or that others may write to: they could put
 * their own socket in place
 */
export async function openStateDirectory(path: string | undefined): Promise<StateDirectory> {
  if (path === undefined) {
    const temporary = await mkdtemp(join(tmpdir(), 'nsbox-'))
    await chmod(temporary, 0o711)
    return {
      path: temporary,
      // Root filesystems that are still mounted in it must not be removed.
      [Symbol.asyncDispose]: () => removeTree(temporary),
    }
  }
  try {
    makePassable(path)
    const { mode, uid } = await stat(path)
    requireOwnDirectory({ uid }, `state directory ${JSON.stringify(path)}`)
    if ((mode & 0o022) !== 0) {
      throw new NsboxError(
        'failed_precondition',
        `state directory ${JSON.stringify(path)} can be written to by other users`,
      )
    }
  } catch (error) {
    throw fromSystemError(error, `state directory ${JSON.stringify(path)}`)
  }
  return { path, [Symbol.asyncDispose]: async () => {} }
}
