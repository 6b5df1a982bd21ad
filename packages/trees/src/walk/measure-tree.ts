import { constants } from 'node:os'
import { closeDescriptor } from '@nsbox/sys/files'
import type { Entry } from './directory-reader.ts'
import { openRoot } from './disk-calls.ts'
import { checkResult, failure } from './file-result.ts'
import { FileStat } from './file-stat.ts'
import { InodeSet } from './inode-set.ts'
import { TreeCursor } from './tree-cursor.ts'
import type { Walk } from './walk.ts'

const { ELOOP, ENOENT, ENOTDIR, EXDEV } = constants.errno

/** The disk usage of a tree. */
export interface TreeUsage {
  /** Bytes. */
  readonly size: number
  readonly inodes: number
}

/** Most files with several names to remember, in up to 128 MiB. */
const maxLinked = 4_000_000

/**
 * Measures the disk usage of a tree. A file with several names in it counts once; beyond some millions of such files,
 * each name counts for its share of the file. Mounts are left out, and files that are moved or removed meanwhile may
 * be.
 *
 * @param path of a directory, whose parents nobody else can change
 * @param most most files with several names to remember
 * @throws `not_found` if there is none
 */
export function* measureTree(path: string, most = maxLinked): Walk<TreeUsage> {
  const what = `measuring ${JSON.stringify(path)}`
  const root = checkResult(yield openRoot(path), what)
  try {
    return yield* new Measurement(root, most, what).run()
  } finally {
    closeDescriptor(root)
  }
}

class Measurement {
  readonly #root: number
  readonly #what: string
  readonly #linked: InodeSet
  readonly #stat = new FileStat()
  #place = ''
  #blocks = 0
  #inodes = 0

  constructor(root: number, most: number, what: string) {
    this.#root = root
    this.#what = what
    this.#linked = new InodeSet(most)
  }

  *run(): Walk<TreeUsage> {
    const stat = this.#stat
    checkResult(yield stat.look(this.#root, '.'), this.#what)
    this.#place = stat.place
    this.#count(1)
    using cursor = new TreeCursor(this.#root)
    for (;;) {
      const entry = yield* cursor.next()
      if (entry !== undefined) yield* this.#add(cursor, entry)
      else if (cursor.isAtRoot) break
      else yield* this.#leave(cursor)
    }
    return { size: Math.round(this.#blocks) * 512, inodes: Math.round(this.#inodes) }
  }

  *#add(cursor: TreeCursor, { name, type }: Entry): Walk<void> {
    if (type === 'directory' && (yield* this.#enter(cursor, name))) return
    const result = yield this.#stat.look(cursor.fd, name)
    if (result === -ENOENT) return
    if (result < 0) throw failure(result, this.#what)
    if (this.#stat.place !== this.#place) return
    if (this.#stat.isDirectory) yield* this.#enter(cursor, name)
    else this.#file()
  }

  /** @returns false if it is no directory */
  *#enter(cursor: TreeCursor, name: string): Walk<boolean> {
    const entered = yield* cursor.enter(name)
    if (entered === -ENOTDIR || entered === -ELOOP) return false
    if (entered === -ENOENT || entered === -EXDEV) return true
    checkResult(entered, this.#what)
    checkResult(yield this.#stat.look(cursor.fd, '.'), this.#what)
    if (this.#stat.place === this.#place) this.#count(1)
    else yield* this.#leave(cursor)
    return true
  }

  /** Directories that cannot be reached any more are left out. */
  *#leave(cursor: TreeCursor): Walk<void> {
    if ((yield* cursor.leave()) === 'lost') cursor.reset()
  }

  #file(): void {
    const { links, inode } = this.#stat
    const known = links > 1 ? this.#linked.add(inode) : 'new'
    if (known !== 'known') this.#count(known === 'full' ? 1 / links : 1)
  }

  #count(share: number): void {
    this.#blocks += this.#stat.blocks * share
    this.#inodes += share
  }
}
