import { fstatSync, readFileSync } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { OpenDirectory } from './directories.ts'

/**
 * Finds files that get their owner and mode when they are created, so that no further calls are needed: those of this
 * process's user and group, with a mode that the umask leaves unchanged, in directories without setgid and default
 * access control list. The first such file is checked, in case the file system behaves differently.
 */
export class GivenAttributes {
  readonly #uid = process.geteuid!()
  readonly #gid = process.getegid!()
  readonly #masked: number
  #state: 'unproven' | 'proven' | 'off'

  /** @param root the directory of a layer, empty: all directories below are made by the layer and inherit from it */
  constructor(root: OpenDirectory) {
    this.#masked = 0o7000 | umask()
    // A default access control list would be inherited by all files below.
    const acl = fileCalls.lgetxattr(`/proc/self/fd/${root.fd}/.`, 'system.posix_acl_default')
    this.#state = typeof acl === 'number' ? 'unproven' : 'off'
  }

  /** Whether a new file in the directory has the entry's owner. */
  owner({ uid, gid }: TarEntry, parent: OpenDirectory): boolean {
    return this.#state === 'proven' && this.#isOwn(uid, gid, parent)
  }

  /**
   * Whether a new file in the directory, made with the entry's mode, has its owner and mode. Call `prove` once it is
   * made.
   */
  file({ uid, gid, mode }: TarEntry, parent: OpenDirectory): boolean {
    return this.#state !== 'off' && (mode & this.#masked) === 0 && this.#isOwn(uid, gid, parent)
  }

  /** Checks the first file for which `file` returned true. @returns whether its owner and mode are as expected */
  prove(fd: number, entry: TarEntry): boolean {
    if (this.#state === 'unproven') {
      const { uid, gid, mode } = fstatSync(fd)
      const isAsSaid = uid === entry.uid && gid === entry.gid && (mode & 0o7777) === entry.mode
      this.#state = isAsSaid ? 'proven' : 'off'
    }
    return this.#state === 'proven'
  }

  #isOwn(uid: number, gid: number, { group }: OpenDirectory): boolean {
    // Some mounts give every file the group of its directory, so that has to be the process's own.
    return uid === this.#uid && gid === this.#gid && group === this.#gid
  }
}

/** The umask of the thread, from procfs: `process.umask` changes it for a moment, for all threads that share it. */
function umask(): number {
  const found = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))
  return found === null ? 0o777 : Number.parseInt(found[1]!, 8)
}
