import { constants } from 'node:os'
import { fileCalls } from '@nsbox/sys/files'
import { readEntries } from './disk-calls.ts'
import { checkResult } from './file-result.ts'
import type { Walk } from './walk.ts'

/** An entry of a directory. The name has one character per byte. */
export interface Entry {
  readonly name: string
  /** The type by the directory, which may be outdated. */
  readonly type: 'directory' | 'other' | 'unknown'
}

const { ENOENT } = constants.errno

/** Bytes of one read: some hundred names. */
const pieceSize = 32 * 1024

// Of <linux/dirent.h>: struct linux_dirent64, whose fields are aligned to 8 bytes, in the processor's order.
const lengthAt = 16
const typeAt = 18
const nameAt = 19
const DT_UNKNOWN = 0
const DT_DIR = 4

/** A buffer, and views of it. */
class Piece {
  readonly bytes = Buffer.from(new ArrayBuffer(pieceSize))
  readonly halves = new Uint16Array(this.bytes.buffer)
  readonly words = new BigInt64Array(this.bytes.buffer)
}

// Reused, since a walk needs one for each level, one after another.
const spare: Piece[] = []
const maxSpare = 8

/**
 * Reads the entries of an open directory in pieces, with bounded memory. Entries that are made or removed meanwhile may
 * be missing or not; all others come once.
 */
export class DirectoryReader implements Disposable {
  readonly #fd: number
  readonly #piece = spare.pop() ?? new Piece()
  /** Positions before and after the last entry. */
  #before: bigint
  #after: bigint
  #at = 0
  #end = 0
  #count = 0

  /**
   * @param begin a `last` of this directory, 0n for its first entry; by default where the descriptor is, which must be
   * new
   */
  constructor(fd: number, begin?: bigint) {
    this.#fd = fd
    this.#before = begin ?? 0n
    this.#after = this.#before
    if (begin !== undefined) checkResult(fileCalls.seekEntry(fd, begin), 'lseek')
  }

  /** How many entries were read. */
  get count(): number {
    return this.#count
  }

  /** Position of the last entry, for another reader of the same directory, even by another descriptor. */
  get last(): bigint {
    return this.#before
  }

  /** The next entry; undefined at the end. */
  *next(): Walk<Entry | undefined> {
    for (;;) {
      if (this.#at >= this.#end) {
        this.#at = 0
        const read = yield readEntries(this.#fd, this.#piece.bytes)
        // The directory was removed.
        this.#end = read === -ENOENT ? 0 : checkResult(read, 'getdents64')
        if (this.#end === 0) return undefined
      }
      const entry = this.#take()
      if (entry.name !== '.' && entry.name !== '..') return entry
    }
  }

  #take(): Entry {
    const { bytes, halves, words } = this.#piece
    const at = this.#at
    const type = bytes[at + typeAt]
    const name = bytes.toString('latin1', at + nameAt, bytes.indexOf(0, at + nameAt))
    this.#before = this.#after
    this.#after = words[at / 8 + 1]!
    this.#at = at + halves[(at + lengthAt) / 2]!
    this.#count += 1
    return { name, type: type === DT_DIR ? 'directory' : type === DT_UNKNOWN ? 'unknown' : 'other' }
  }

  [Symbol.dispose](): void {
    if (spare.length < maxSpare) spare.push(this.#piece)
  }
}
