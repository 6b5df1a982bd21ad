import { type BigIntStats, mkdirSync, renameSync, rmSync } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult } from '../file-result.ts'
import { TreeCursor } from './tree-cursor.ts'

interface Group {
  readonly name: string
  /** How many names of the file have not been met. */
  left: bigint
}

/**
 * The files of a tree that have several names, while it is copied. Until a copy has all of its names it has one more in a
 * directory aside, by which it is found however deep the others are.
 */
export class LinkGroups implements Disposable {
  readonly #directory: string
  readonly #groups = new Map<bigint, Group>()
  #aside: TreeCursor | undefined

  /** @param directory one that does not exist, on the file system of the copy */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Gives a copy that exists the next name; false if there is none yet. */
  link({ ino }: BigIntStats, to: TreeCursor, name: string): boolean {
    const group = this.#groups.get(ino)
    if (group === undefined || this.#aside === undefined) return false
    group.left -= 1n
    if (group.left > 0n) {
      checkResult(fileCalls.linkat(this.#aside.fd, group.name, to.fd, name), 'link')
      return true
    }
    // Moved, since there may be as many names as the file system allows.
    this.#groups.delete(ino)
    renameSync(this.#aside.path(group.name), to.path(name))
    return true
  }

  /** Remembers the first copy of a file, if it has several names. */
  add({ ino, nlink }: BigIntStats, to: TreeCursor, name: string): void {
    if (nlink < 2n) return
    if (this.#aside === undefined) {
      mkdirSync(this.#directory, { mode: 0o700 })
      this.#aside = new TreeCursor(this.#directory)
    }
    const group = { name: String(ino), left: nlink - 1n }
    checkResult(fileCalls.linkat(to.fd, name, this.#aside.fd, group.name), 'link')
    this.#groups.set(ino, group)
  }

  [Symbol.dispose](): void {
    this.#aside?.[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
