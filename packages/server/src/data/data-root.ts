import { constants } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { tryFlock } from '@nsbox/sys'
import { requireOwnDirectory } from './own-directory.ts'

/** The directory of content and metadata, held exclusively. Disposing of it releases the lock. */
export interface DataRoot extends AsyncDisposable {
  readonly path: string
}

const lockName = 'lock'

/** mke2fs(8) makes this directory in a new file system. */
const ofNewFileSystem = 'lost+found'

/**
 * Locks a directory as data root, and makes it if it does not exist. It is readable by its owner only
 * (docs/threat-model.md D01). The lock is the kernel's: it ends with the process, however that ends, and holds against
 * a server in another process as well as against one embedded in this process.
 *
 * @throws `failed_precondition` if another server has it, if it is another user's, or if it is a directory that others
 * may enter and that holds foreign files; `permission_denied`
 */
export async function openDataRoot(path: string): Promise<DataRoot> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await closeToOthers(path)
    const lock = await takeLock(path)
    return { path, [Symbol.asyncDispose]: () => lock.close() }
  } catch (error) {
    throw fromSystemError(error, `data root ${JSON.stringify(path)}`)
  }
}

/** A foreign directory that was named by mistake, such as a home, must keep its mode. */
async function closeToOthers(path: string): Promise<void> {
  const { mode, uid } = await stat(path)
  requireOwnDirectory({ uid }, `data root ${JSON.stringify(path)}`)
  if ((mode & 0o077) === 0) return
  const names = (await readdir(path)).filter((name) => name !== ofNewFileSystem)
  if (names.length > 0 && !names.includes(lockName)) {
    throw new NsboxError(
      'failed_precondition',
      `data root ${JSON.stringify(path)} is open to other users and holds files of something else`,
    )
  }
  await chmod(path, 0o700)
}

async function takeLock(root: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const lock = await open(join(root, lockName), flags, 0o600)
  try {
    if (!tryFlock(lock.fd)) {
      const holder = (await lock.readFile('latin1')).trim().slice(0, 20)
      const who = /^\d+$/.test(holder) ? `process ${holder}` : 'another process'
      throw new NsboxError('failed_precondition', `data root ${JSON.stringify(root)} is in use by ${who}`)
    }
    await lock.truncate()
    await lock.write(`${process.pid}\n`, 0)
    return lock
  } catch (error) {
    await lock.close()
    throw error
  }
}
