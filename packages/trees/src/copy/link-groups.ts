import { type BigIntStats, mkdirSync, renameSync } from 'node:fs'
import { constants } from 'node:os'
import { closeDescriptor, fileCalls } from '@nsbox/sys/files'
import { openRoot } from '../walk/disk-calls.ts'
import { checkResult } from '../walk/file-result.ts'
import { removeAt } from '../walk/remove-at.ts'
import type { TreeCursor } from '../walk/tree-cursor.ts'
import type { Walk } from '../walk/walk.ts'

const { EMLINK, ENOENT } = constants.errno

/**
 * Preserves hard links while a tree is copied. The first copy of a file with several names gets an additional name in a
 * temporary directory, the inode number of the original. The other names are linked to it, however deep and many they
 * are.
 */
export class LinkGroups {
  readonly #path: string
  #aside: number | undefined

  /** @param path of the temporary directory, on the file system of the copy; must not exist */
  constructor(path: string) {
    this.#path = path
  }

  /** Links an existing copy to a further name; false if there is no copy yet. */
  link({ ino, nlink }: BigIntStats, to: TreeCursor, name: string): boolean {
    if (nlink < 2n || this.#aside === undefined) return false
    const result = fileCalls.linkat(this.#aside, String(ino), to.fd, name)
    if (result === -ENOENT) return false
    // The copy has as many names as the file system allows: its temporary name becomes this one, and the next name a
    // new copy.
    if (result === -EMLINK)
      renameSync(`/proc/self/fd/${this.#aside}/${ino}`, Buffer.from(to.bytePath(name), 'latin1'))
    else checkResult(result, 'link')
    return true
  }

  /** Remembers the first copy of a file, if it has several names. */
  *add({ ino, nlink }: BigIntStats, to: TreeCursor, name: string): Walk<void> {
    if (nlink < 2n) return
    if (this.#aside === undefined) {
      mkdirSync(this.#path, { mode: 0o700 })
      this.#aside = checkResult(yield openRoot(this.#path), 'open')
    }
    checkResult(fileCalls.linkat(to.fd, name, this.#aside, String(ino)), 'link')
  }

  /** Removes the directory, if there is one. */
  *remove(): Walk<void> {
    yield* removeAt(this.#path)
  }

  /** Closes the directory. */
  close(): void {
    if (this.#aside !== undefined) closeDescriptor(this.#aside)
    this.#aside = undefined
  }
}
