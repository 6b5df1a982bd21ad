import { constants, fstatSync, openSync } from 'node:fs'
import { constants as os } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { closeDescriptor, fileCalls, O_PATH, opened, RESOLVE } from '@nsbox/sys/files'
import { DirectoryReader, type Entry } from './directory-reader.ts'
import { openDirectory, openParent } from './disk-calls.ts'
import { FarLevels } from './far-levels.ts'
import { checkResult } from './file-result.ts'
import type { Walk } from './walk.ts'

const { EXDEV } = os.errno

/** Most parent directories whose descriptors stay open, besides the root. */
const maxHeld = 32

interface Level {
  readonly fd: number
  /** Name in the parent directory; empty if unknown. */
  readonly name: string
  reader: DirectoryReader | undefined
}

/**
 * The position of a walk: a directory of a tree, changed one step at a time, never through a link or a mount. Even if
 * the tree changes meanwhile, the directory was in it when it was entered, and going up leads back to the parent it was
 * entered from: that parent's descriptor is open, or its identity is compared. At any depth it uses at most 34
 * descriptors and some buffers of 32 KiB.
 *
 * Names have one character per byte.
 */
export class TreeCursor implements Disposable {
  readonly #root: Level
  /** The nearest directories, the current one last. */
  readonly #held: Level[] = []
  /** The directories between the root and the nearest ones. */
  readonly #far = new FarLevels()
  /** The name, in the root, of the branch that it is in. */
  #first = ''

  /** @param fd of the root, which stays the caller's */
  constructor(fd: number) {
    this.#root = { fd, name: '', reader: undefined }
  }

  get fd(): number {
    return this.#here.fd
  }

  get isAtRoot(): boolean {
    return this.#held.length === 0
  }

  /** How many entries of the directory were read since it was entered. */
  get count(): number {
    return this.#here.reader?.count ?? 0
  }

  /**
   * The path of a name, for messages. Names far above are left out.
   * @param below how many levels below the root it begins
   */
  place(name: string, below = 0): string {
    const held = this.#held.map((level) => level.name)
    const known = this.#far.length > 0 ? held : held.slice(below)
    const shown = Buffer.from([...known, name].join('/'), 'latin1').toString()
    return (this.#far.length > 0 ? `…/${shown}` : shown).slice(0, 4096)
  }

  /** The next entry of the directory; undefined at the end. */
  next(): Walk<Entry | undefined> {
    const here = this.#here
    here.reader ??= new DirectoryReader(here.fd)
    return here.reader.next()
  }

  /** Enters a directory. @returns the negated errno on failure: `-EXDEV` for a mount */
  *enter(name: string): Walk<number> {
    const fd = yield openDirectory(this.fd, name)
    if (fd < 0) return fd
    if (this.isAtRoot) this.#first = name
    this.#held.push({ fd, name, reader: undefined })
    if (this.#held.length > maxHeld) this.#letGo()
    return 0
  }

  /**
   * Goes up. The next entry is the one after the directory that was left.
   * @returns the name of the directory that was left, undefined if it was removed; `lost` if the parent cannot be
   * reached any more
   */
  *leave(): Walk<{ readonly name: string | undefined } | 'lost'> {
    const left = this.#held.pop()!
    try {
      if (this.#held.length > 0) return { name: left.name }
      if (this.#far.length === 0) return { name: this.#first }
      const fd = yield openParent(left.fd)
      if (fd < 0) return 'lost'
      this.#held.push({ fd, name: '', reader: undefined })
      const position = this.#far.popIf(fd)
      if (position === undefined) return 'lost'
      this.#here.reader = new DirectoryReader(fd, position)
      return { name: (yield* this.#here.reader.next())?.name }
    } finally {
      close(left)
    }
  }

  /** Goes to the root. */
  reset(): void {
    for (const level of this.#held.splice(0)) close(level)
    this.#far.clear()
  }

  /** Opens a name in the directory, on this thread. The descriptor is the caller's. */
  open(name: string, flags: number, mode: number): number {
    const resolve = RESOLVE.BENEATH | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS
    const fd = fileCalls.openat2(this.fd, name, flags | constants.O_NOFOLLOW, mode, resolve)
    if (fd === -EXDEV) throw new NsboxError('failed_precondition', 'something is mounted there')
    return opened(checkResult(fd, 'open'))
  }

  /**
   * Opens a regular file for reading, on this thread. The descriptor is the caller's. Nothing else is opened: opening a
   * FIFO blocks, and opening a device can have effects.
   * @returns undefined if it is no regular file
   */
  openFile(name: string): number | undefined {
    const place = this.open(name, O_PATH, 0)
    try {
      if (!fstatSync(place).isFile()) return undefined
      return opened(openSync(`/proc/self/fd/${place}`, constants.O_RDONLY))
    } finally {
      closeDescriptor(place)
    }
  }

  /** A path to a name in the directory, with one character per byte, for calls that take no descriptor. */
  bytePath(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`
  }

  [Symbol.dispose](): void {
    this.reset()
    this.#root.reader?.[Symbol.dispose]()
  }

  get #here(): Level {
    return this.#held.at(-1) ?? this.#root
  }

  #letGo(): void {
    const [level] = this.#held
    this.#far.push(level!.fd, level!.reader?.last ?? 0n)
    this.#held.shift()
    close(level!)
  }
}

function close({ fd, reader }: Level): void {
  reader?.[Symbol.dispose]()
  closeDescriptor(fd)
}
