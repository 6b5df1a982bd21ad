import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs'
import { constants as os } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { fileCalls, resolveFlags } from '@nsbox/sys/files'
import { checkResult } from '../file-result.ts'

const { EXDEV } = os.errno
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
const resolve = resolveFlags.noMagicLinks | resolveFlags.noCrossing

/**
 * A directory within a tree, however deep, by one descriptor: it is moved one step at a time, never through a link or a
 * mount. Names have one character per byte.
 */
export class TreeCursor implements Disposable {
  #fd: number
  /** Those of the directories above, the root first. */
  readonly #above: string[] = []

  constructor(root: string) {
    this.#fd = openSync(root, flags)
  }

  get fd(): number {
    return this.#fd
  }

  names(): string[] {
    return readdirSync(this.path('.'), 'latin1')
  }

  /** A path to what the directory has under a name, for calls that take no descriptor. */
  path(name: string): Buffer {
    return Buffer.from(this.bytePath(name), 'latin1')
  }

  /** The same of one character per byte, for those of `fileCalls`. */
  bytePath(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`
  }

  /** Opens what the directory has under a name; the descriptor is the caller's. */
  open(name: string, openFlags: number, mode: number): number {
    const fd = fileCalls.openat2(this.#fd, name, openFlags | O_NOFOLLOW, mode, resolve)
    if (fd === -EXDEV) throw new NsboxError('failed_precondition', 'something is mounted there')
    return checkResult(fd, 'open')
  }

  enter(name: string): void {
    const fd = this.open(name, flags, 0)
    this.#above.push(this.#identity())
    this.#move(fd)
  }

  leave(): void {
    const expected = this.#above.pop()
    this.#move(this.open('..', flags, 0))
    // Somebody has moved the directory to another place while it was open.
    if (this.#identity() !== expected)
      throw new NsboxError('failed_precondition', 'it changed while it was copied')
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #move(fd: number): void {
    closeSync(this.#fd)
    this.#fd = fd
  }

  #identity(): string {
    const { dev, ino } = fstatSync(this.#fd, { bigint: true })
    return `${dev}:${ino}`
  }
}
