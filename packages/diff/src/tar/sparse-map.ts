import type { ByteString } from './byte-string.ts'
import { numberField } from './header-block.ts'
import { type PaxRecords, paxNumber } from './pax-records.ts'
import type { SparsePiece } from './tar-entry.ts'
import { damaged, refused, tooMuch } from './tar-error.ts'
import { tarLimits } from './tar-limits.ts'

/** Collects the pieces of a sparse file and checks each against those before it. */
export class SparseMap {
  readonly #name: ByteString
  readonly pieces: SparsePiece[] = []
  #end = 0
  #stored = 0

  constructor(name: ByteString) {
    this.#name = name
  }

  add(offset: number, length: number): void {
    if (this.pieces.length >= tarLimits.sparsePieces)
      throw tooMuch(this.#name, `more than ${tarLimits.sparsePieces} pieces in a sparse file`)
    if (offset < this.#end || length < 0 || !Number.isSafeInteger(offset + length))
      throw refused(this.#name, 'the pieces of a sparse file overlap or are out of order')
    this.pieces.push({ offset, length })
    this.#end = offset + length
    this.#stored += length
  }

  /** Checks the map as a whole. @param stored bytes of data that the archive has for it */
  finish(stored: number, realSize: number): readonly SparsePiece[] {
    if (this.#end > realSize || this.#stored !== stored)
      throw refused(this.#name, 'the pieces of a sparse file do not fit its size')
    return this.pieces
  }
}

/** Reads entries of the old GNU format: pairs of 12-byte fields. An empty one ends the list. */
export function addOldGnuPieces(map: SparseMap, block: Buffer, at: number, count: number, name: ByteString) {
  for (let index = 0; index < count; index += 1, at += 24) {
    if (block[at] === 0) return
    const offset = numberField(block, at, 12)
    const length = numberField(block, at + 12, 12)
    if (offset === undefined || length === undefined) throw damaged(name, 'malformed sparse map')
    map.add(offset, length)
  }
}

/** The size of a sparse file of the old GNU format with its holes. */
export function oldGnuRealSize(header: Buffer, name: ByteString): number {
  const size = numberField(header, 483, 12)
  if (size === undefined || size < 0) throw damaged(name, 'malformed sparse map')
  return size
}

/** Reads the map of the formats 0.0 and 0.1, which is in the extended header. */
export function addPaxPieces(map: SparseMap, records: PaxRecords, name: ByteString): void {
  const numbers: number[] = []
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      if ((key === 'GNU.sparse.offset') !== (numbers.length % 2 === 0))
        throw damaged(name, 'malformed sparse map')
      numbers.push(paxNumber(value, key, name))
    } else if (key === 'GNU.sparse.map' && value !== '')
      for (const number of value.split(',')) numbers.push(paxNumber(number, key, name))
  }
  if (numbers.length % 2 !== 0) throw damaged(name, 'malformed sparse map')
  for (let at = 0; at < numbers.length; at += 2) map.add(numbers[at]!, numbers[at + 1]!)
}
