import { lstat, readdir, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import { closeDescriptor, openFifo } from './open-fifo.ts'

/** Names of directories that this client makes: `<pid>-<six characters>`. */
const ownDirectory = /^(\d+)-[A-Za-z0-9]{6}$/

/**
 * Removes FIFOs, and the directories that they leave empty. Other files stay: the paths may come from another client.
 */
export async function removeFifos(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const removal = lstat(path).then((stats) => (stats.isFIFO() ? unlink(path) : undefined))
    await removal.catch(unlessGone)
  }
  for (const directory of new Set(paths.map(dirname))) await rmdir(directory).catch(unlessInUse)
}

/** Removes what clients that have died left in a directory, unless a server still uses it. */
export async function removeForgottenFifos(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = ownDirectory.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const directory = join(root, name)
    const paths = (await readdir(directory).catch(() => [])).map((file) => join(directory, file))
    const used = await Promise.all(paths.map(isRead))
    if (!used.includes(true)) await removeFifos(paths.length === 0 ? [join(directory, 'stdin')] : paths)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isErrno(error, 'ESRCH')
  }
}

/** Whether a FIFO has a reader. A server holds a reading end of each FIFO that it uses, those for output included. */
async function isRead(path: string): Promise<boolean> {
  try {
    await closeDescriptor(await openFifo(path, 'write'))
    return true
  } catch (error) {
    // Only FIFOs may be removed.
    return !isErrno(error, 'ENXIO') && !isErrno(error, 'ENOENT')
  }
}

function unlessGone(error: unknown): void {
  if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error
}

function unlessInUse(error: unknown): void {
  if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EBUSY')) unlessGone(error)
}
