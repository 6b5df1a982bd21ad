import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import type { Entry } from './directory-reader.ts'
import { removeDirectory, unlink } from './disk-calls.ts'
import { failure } from './file-result.ts'
import { TreeCursor } from './tree-cursor.ts'
import type { Walk } from './walk.ts'

const { EBUSY, EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV } = constants.errno

/**
 * How often a step is repeated because of changes by others: a file made in an emptied directory, a directory that was
 * replaced.
 */
const maxSetbacks = 1000
/** Most names to remove from a directory in one pass, in case others make new ones as fast. */
const maxNames = 10_000_000

/**
 * Removes a name in an open directory, with everything below it. Each step uses a name in an open directory, and no
 * link or mount is followed. A file that replaces another is removed or entered, but never leads out of the tree. After
 * an error part of it is removed.
 *
 * @param name of one character per byte
 * @param called name for errors, such as a path
 * @throws `failed_precondition` with the detail `mountPoint` if something is mounted in it; `unavailable` if files are
 * created as fast as they are removed; `permission_denied`, also for an immutable file; others, as the system reports
 */
export function* removeEntry(directory: number, name: string, called: string): Walk<void> {
  yield* new Removal(directory, called).run(name)
}

class Removal {
  readonly #directory: number
  readonly #called: string
  #setbacks = 0

  constructor(directory: number, called: string) {
    this.#directory = directory
    this.#called = called
  }

  *run(name: string): Walk<void> {
    using cursor = new TreeCursor(this.#directory)
    yield* this.#take(cursor, { name, type: 'unknown' })
    while (!cursor.isAtRoot) {
      const entry = yield* cursor.next()
      if (entry !== undefined) {
        if (cursor.count > maxNames) throw this.#refilled()
        yield* this.#take(cursor, entry)
        continue
      }
      const left = yield* cursor.leave()
      if (left === 'lost') {
        // The directory was moved away while it was open.
        this.#setback()
        cursor.reset()
        yield* this.#take(cursor, { name, type: 'unknown' })
      } else if (left.name !== undefined)
        yield* this.#take(cursor, { name: left.name, type: 'directory' }, true)
    }
  }

  /**
   * Removes a name, or enters it if it is a directory.
   * @param emptied whether it is a directory that has been emptied
   */
  *#take(cursor: TreeCursor, { name, type }: Entry, emptied = false): Walk<void> {
    for (let isDirectory = type === 'directory'; ; ) {
      let refused = 0
      if (!isDirectory) {
        const result = yield unlink(cursor.fd, name)
        if (result >= 0 || result === -ENOENT) return
        // POSIX has EPERM for directories where Linux has EISDIR, and some file systems use it.
        if (result !== -EISDIR && result !== -EPERM) throw this.#failure(result, cursor, name)
        refused = result
      }
      const result = yield removeDirectory(cursor.fd, name)
      if (result >= 0 || result === -ENOENT) return
      if (result === -ENOTEMPTY || result === -EEXIST) {
        if (emptied) this.#setback()
        const entered = yield* cursor.enter(name)
        if (entered >= 0 || entered === -ENOENT) return
        if (entered !== -ENOTDIR && entered !== -ELOOP) throw this.#failure(entered, cursor, name)
      } else if (result !== -ENOTDIR) throw this.#failure(result, cursor, name)
      else if (refused === -EPERM) throw this.#failure(refused, cursor, name)
      // It has been replaced by something else.
      this.#setback()
      isDirectory = false
    }
  }

  #setback(): void {
    this.#setbacks += 1
    if (this.#setbacks > maxSetbacks) throw this.#refilled()
  }

  #refilled(): NsboxError {
    return new NsboxError('unavailable', `removing ${this.#quoted}: somebody else changes it meanwhile`)
  }

  #failure(result: number, cursor: TreeCursor, name: string): unknown {
    const place = cursor.isAtRoot ? this.#called : `${this.#called}/${cursor.place(name, 1)}`
    if (result !== -EBUSY && result !== -EXDEV)
      return failure(result, `removing ${this.#quoted}: ${JSON.stringify(place)}`)
    return new NsboxError(
      'failed_precondition',
      `removing ${this.#quoted}: ${JSON.stringify(place)} is mounted`,
      { details: { mountPoint: place } },
    )
  }

  get #quoted(): string {
    return JSON.stringify(this.#called.slice(0, 4096))
  }
}
