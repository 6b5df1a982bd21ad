import type { ByteString } from './byte-string.ts'
import { paxNumber } from './pax-records.ts'
import { SparseMap } from './sparse-map.ts'
import { damaged, tooMuch } from './tar-error.ts'
import { tarLimits } from './tar-limits.ts'

/**
 * Reads the map of a sparse file in format 1.0, which precedes the data as decimal lines (the number of pieces, then
 * offset and length of each), padded to whole blocks.
 */
export class SparseText {
  readonly #name: ByteString
  readonly map: SparseMap
  #line = ''
  #wanted: number | undefined
  #offset: number | undefined

  constructor(name: ByteString) {
    this.#name = name
    this.map = new SparseMap(name)
  }

  /** @returns whether the map is complete now */
  add(block: Buffer): boolean {
    const lines = (this.#line + block.toString('latin1')).split('\n')
    this.#line = lines.pop()!
    for (const line of lines) this.#number(paxNumber(line, 'sparse map', this.#name))
    // The rest of the last block is padding.
    if (this.map.pieces.length === this.#wanted) return true
    if (this.#line.length > 20) throw damaged(this.#name, 'malformed sparse map')
    return false
  }

  #number(number: number): void {
    if (this.#wanted === undefined) {
      const most = tarLimits.sparsePieces
      if (number > most) throw tooMuch(this.#name, `more than ${most} pieces in a sparse file`)
      this.#wanted = number
    } else if (this.map.pieces.length >= this.#wanted) throw damaged(this.#name, 'malformed sparse map')
    else if (this.#offset === undefined) this.#offset = number
    else {
      this.map.add(this.#offset, number)
      this.#offset = undefined
    }
  }
}
