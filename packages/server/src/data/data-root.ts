import { constants } from 'node:fs'
import { chmod, type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { tryFlock } from '@nsbox/sys'
import { requireOwnDirectory } from './own-directory.ts'

/** The directory of content and metadata, held exclusively. Disposing of it releases the lock. */
export interface DataRoot extends AsyncDisposable {
  readonly path: string
  /** Leaves word of where its holder serves, for others who find it in use. */
  announce(serving: Serving): Promise<void>
}

/** Where the holder of a data root serves. */
export interface Serving {
  /** Path of the socket. */
  readonly address: string
  /** Whether the server ends with a command that runs it. */
  readonly temporary: boolean
}

const lockName = 'lock'

/** mke2fs(8) makes this directory in a new file system. */
const ofNewFileSystem = 'lost+found'

/**
 * Locks a directory as data root, and makes it if it does not exist. It is readable by its owner only
 * (docs/threat-model.md D01). The lock is the kernel's: it ends with the process, however that ends, and holds against
 * a server in another process as well as against one embedded in this process.
 *
 * @throws `failed_precondition` if another server has it, with `inUse` and what that one has announced in the details;
 * if it is another user's, or if it is a directory that others
 * may enter and that holds foreign files; `permission_denied`
 */
export async function openDataRoot(path: string): Promise<DataRoot> {
  try {
    makeDirectories(path, 0o700)
    await closeToOthers(path)
    const lock = await takeLock(path)
    return {
      path,
      announce: (serving) => writeHolder(lock, serving),
      [Symbol.asyncDispose]: () => lock.close(),
    }
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
      const { pid, ...serving } = await readHolder(lock)
      const who = pid === undefined ? 'another process' : `process ${pid}`
      throw new NsboxError('failed_precondition', `data root ${JSON.stringify(root)} is in use by ${who}`, {
        details: { inUse: true, ...serving },
      })
    }
    await lock.truncate()
    await writeHolder(lock)
    return lock
  } catch (error) {
    await lock.close()
    throw error
  }
}

/** The most bytes of a lock: a number, and a path as JSON. */
const maxLockBytes = 4096

/** Writes who has the lock, and where that one serves, as lines. */
async function writeHolder(lock: FileHandle, serving?: Serving): Promise<void> {
  await lock.write(`${process.pid}\n${serving === undefined ? '' : `${JSON.stringify(serving)}\n`}`, 0)
}

/** What a holder has written so far. */
async function readHolder(lock: FileHandle): Promise<{ pid?: string } & Partial<Serving>> {
  const { buffer, bytesRead } = await lock.read(Buffer.alloc(maxLockBytes), 0, maxLockBytes, 0)
  const [pid = '', text = ''] = buffer.toString('utf8', 0, bytesRead).split('\n')
  return { ...(/^\d{1,10}$/.test(pid) && { pid }), ...readServing(text) }
}

function readServing(text: string): Serving | undefined {
  try {
    const { address, temporary } = JSON.parse(text)
    return typeof address === 'string' ? { address, temporary: temporary === true } : undefined
  } catch (error) {
    // Not written yet, or by something else.
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
