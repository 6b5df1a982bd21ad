import { fstatSync, readFileSync } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { OpenDirectory } from './directories.ts'

/**
 * Tells which files have their owner and mode from the moment they are made, so that neither need be set: those of this
 * process's user and group, in directories that give neither another group nor an access control list, with a mode that
 * is not masked. A file system that has it otherwise is found out by the first such file.
 */
export class GivenAttributes {
  readonly #uid = process.geteuid!()
  readonly #gid = process.getegid!()
  readonly #masked: number
  #state: 'unproven' | 'proven' | 'off'

  /** @param root the directory of a layer, empty: all directories below are made by the layer and inherit from it */
  constructor(root: OpenDirectory) {
    this.#masked = 0o7000 | umask()
    // A list that is inherited would be for all files below.
    const acl = fileCalls.lgetxattr(`/proc/self/fd/${root.fd}/.`, 'system.posix_acl_default')
    this.#state = typeof acl === 'number' ? 'unproven' : 'off'
  }

  /** Whether what is made in the directory has the entry's owner. */
  owner({ uid, gid }: TarEntry, parent: OpenDirectory): boolean {
    return this.#state === 'proven' && this.#isOwn(uid, gid, parent)
  }

  /** Whether a file that is made in the directory with the entry's mode has its owner and mode; `prove` it once made. */
  file({ uid, gid, mode }: TarEntry, parent: OpenDirectory): boolean {
    return this.#state !== 'off' && (mode & this.#masked) === 0 && this.#isOwn(uid, gid, parent)
  }

  /** Looks at a file for which `file` held, unless one was looked at before. @returns whether it has what was foretold */
  prove(fd: number, entry: TarEntry): boolean {
    if (this.#state === 'unproven') {
      const { uid, gid, mode } = fstatSync(fd)
      const isAsSaid = uid === entry.uid && gid === entry.gid && (mode & 0o7777) === entry.mode
      this.#state = isAsSaid ? 'proven' : 'off'
    }
    return this.#state === 'proven'
  }

  #isOwn(uid: number, gid: number, { group }: OpenDirectory): boolean {
    // Some mounts give every file the group of its directory; where that is the process's own, it comes to the same.
    return uid === this.#uid && gid === this.#gid && group === this.#gid
  }
}

/** That of the thread, from procfs: asking by `process.umask` changes it for a moment, for all threads that share it. */
function umask(): number {
  const found = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))
  return found === null ? 0o777 : Number.parseInt(found[1]!, 8)
}
