import {
  type BigIntStats,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { IdMapping } from '@nsbox/oci/runtime-spec'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
const setIds = 0o6000

/**
 * The first user and group of the host that a container's users and groups are mapped to; each begins with the
 * container's 0.
 */
export interface OwnerMapping {
  readonly uid: IdMapping
  readonly gid: IdMapping
}

/**
 * Changes the owners of all files of a tree to the users and groups of the host that a user namespace maps its own to.
 * Modes stay, including set-user-ID bits, which chown(2) takes away; capabilities of files are removed, since one that
 * was set outside of a user namespace has no effect in it (user_namespaces(7)). Symbolic links are changed, not
 * followed. Needs root. After an error some files have their new owners.
 *
 * @param directory of the tree, which nobody else changes meanwhile
 * @throws `failed_precondition` for a file whose owner is not in the mapping
 */
export async function shiftOwners(
  directory: string,
  mapping: OwnerMapping,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await new OwnerShift(mapping, signal).tree(Buffer.from(directory), '/')
}

class OwnerShift {
  readonly #mapping: OwnerMapping
  readonly #signal: AbortSignal
  /**
   * New owners of files with several names: some file systems change the owner for all names, others for one name only.
   */
  readonly #given = new Map<string, string>()

  constructor(mapping: OwnerMapping, signal: AbortSignal) {
    this.#mapping = mapping
    this.#signal = signal
  }

  /** @param shown the directory's name within the tree, for errors */
  async tree(path: Buffer, shown: string): Promise<void> {
    this.#signal.throwIfAborted()
    await setImmediate()
    const fd = attempt(shown, () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    try {
      // By the descriptor, so that a path may have any length.
      const here = Buffer.from(`/proc/self/fd/${fd}/`)
      const own = attempt(shown, () => lstatSync(Buffer.concat([here, Buffer.from('.')]), { bigint: true }))
      const { uid, gid } = this.#ownersOf(own, shown)
      attempt(shown, () => chownSync(here, uid, gid))
      for (const name of attempt(shown, () => readdirSync(here, { encoding: 'buffer' }))) {
        const child = Buffer.concat([here, name])
        const below = `${shown === '/' ? '' : shown}/${name.toString()}`
        const stat = attempt(below, () => lstatSync(child, { bigint: true }))
        if (stat.isDirectory()) await this.tree(child, below)
        else attempt(below, () => this.#file(child, stat, below))
      }
    } finally {
      closeSync(fd)
    }
  }

  #file(path: Buffer, stat: BigIntStats, shown: string): void {
    const id = `${stat.dev}:${stat.ino}`
    if (stat.nlink > 1n && this.#given.get(id) === `${stat.uid}:${stat.gid}`) return
    const { uid, gid } = this.#ownersOf(stat, shown)
    lchownSync(path, uid, gid)
    const mode = Number(stat.mode) & 0o7777
    if (stat.isFile() && (mode & setIds) !== 0) setMode(path, stat.ino, mode)
    if (stat.nlink > 1n) this.#given.set(id, `${uid}:${gid}`)
  }

  #ownersOf({ uid, gid }: BigIntStats, shown: string): { readonly uid: number; readonly gid: number } {
    const shifted = (what: string, id: number, { hostID, size }: IdMapping) => {
      if (id < size) return hostID + id
      throw new NsboxError(
        'failed_precondition',
        `${JSON.stringify(shown)} of the image belongs to ${what} ${id}, but the mapping has ${size} of them`,
      )
    }
    return {
      uid: shifted('user', Number(uid), this.#mapping.uid),
      gid: shifted('group', Number(gid), this.#mapping.gid),
    }
  }
}

/** Sets the mode of a file if its name still stands for it, and of nothing that a link leads to. */
function setMode(path: Buffer, inode: bigint, mode: number): void {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    if (fstatSync(fd, { bigint: true }).ino !== inode)
      throw new NsboxError('aborted', 'the files of the image are being changed')
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

function attempt<T>(shown: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw fromSystemError(error, `giving ${JSON.stringify(shown)} of the image another owner`)
  }
}
