import type { ByteString } from './byte-string.ts'
import { type HeaderBlock, parseHeaderBlock } from './header-block.ts'
import { type Extension, makeEntry, noExtension, noRecords } from './make-entry.ts'
import { lastNumber, lastValue, parsePaxRecords } from './pax-records.ts'
import { PieceCollector } from './piece-collector.ts'
import { addOldGnuPieces, addPaxPieces, oldGnuRealSize, SparseMap } from './sparse-map.ts'
import { SparseText } from './sparse-text.ts'
import type { TarEntry } from './tar-entry.ts'
import { damaged, tooMuch } from './tar-error.ts'
import { tarLimits } from './tar-limits.ts'

/** Handlers of a parser, called in the archive's order. An exception of a handler ends the parsing. */
export interface TarHandler {
  entry(entry: TarEntry): void
  /** A piece of the content of the last entry, valid as long as what was pushed. Sparse files: the stored pieces. */
  data(bytes: Buffer): void
  /** The last entry's content is complete. */
  end(): void
}

type State =
  | { readonly in: 'header' }
  | { readonly in: 'body'; readonly type: 'x' | 'L' | 'K'; readonly name: ByteString }
  | {
      readonly in: 'sparse blocks'
      readonly block: HeaderBlock
      readonly map: SparseMap
      readonly size: number
    }
  | {
      readonly in: 'sparse text'
      readonly block: HeaderBlock
      readonly text: SparseText
      readonly size: number
    }
  | { readonly in: 'data' }
  | { readonly in: 'comment' }
  | { readonly in: 'end' }

const inHeader: State = { in: 'header' }
const inData: State = { in: 'data' }

/**
 * Parses a tar archive of the dialects v7, ustar, PAX and GNU that is pushed in pieces of any size. It is synchronous,
 * keeps names and attributes as bytes, and knows all sparse formats. Bytes after the two blocks that end an archive are
 * ignored.
 *
 * Errors name the entry: `data_loss` for a damaged or truncated archive, `invalid_argument` for one with invalid
 * fields, `resource_exhausted` beyond the limits.
 */
export class TarParser {
  readonly #handler: TarHandler
  readonly #maxHeaders: number
  readonly #collector = new PieceCollector()
  #state: State = inHeader
  #extension: Readonly<Extension> = noExtension
  #headers = 0
  #lastName: ByteString = ''
  /** Remaining bytes of the current content, and of the padding after it. */
  #left = 0
  #padding = 0

  /** @param maxHeaders most headers in all, extended ones included */
  constructor(handler: TarHandler, maxHeaders: number) {
    this.#handler = handler
    this.#maxHeaders = maxHeaders
  }

  /** How many headers have been read. */
  get headers(): number {
    return this.#headers
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#state.in === 'end') return
      const { in: place } = this.#state
      if (place === 'data' || place === 'comment') {
        const piece = chunk.subarray(at, at + this.#left)
        at += piece.length
        this.#left -= piece.length
        if (place === 'data') this.#handler.data(piece)
        if (this.#left > 0) continue
        if (place === 'data') this.#endOfData()
        else this.#state = inHeader
      } else if (this.#padding > 0 && place === 'header') {
        const skipped = Math.min(this.#padding, chunk.length - at)
        at += skipped
        this.#padding -= skipped
      } else {
        const wanted = this.#state.in === 'body' ? this.#left : 512
        const missing = wanted - this.#collector.size
        const block = this.#collector.take(chunk, at, wanted)
        at += missing
        if (block !== undefined) this.#block(block)
      }
    }
  }

  /** Ends the archive. @throws `data_loss` if an entry or the end of the archive is missing */
  finish(): void {
    // As for Go's reader, an archive may end right after an entry, without padding and end blocks.
    if (this.#state.in === 'end') return
    const cut = this.#state.in !== 'header' || this.#collector.size > 0 || this.#isExtended()
    if (cut || this.#headers === 0) throw damaged(this.#lastName, 'the archive is truncated')
  }

  #isExtended(): boolean {
    return this.#extension !== noExtension
  }

  #block(block: Buffer): void {
    const state = this.#state
    if (state.in === 'header') this.#header(block)
    else if (state.in === 'body') this.#body(block, state.type, state.name)
    else if (state.in === 'sparse blocks') {
      addOldGnuPieces(state.map, block, 0, 21, state.block.name)
      if (block[504] === 0) this.#entry(state.block, state.size, state.map)
    } else if (state.in === 'sparse text') {
      const { block: header, text } = state
      const size = state.size - 512
      if (size < 0) throw damaged(header.name, 'malformed sparse map')
      if (text.add(block)) this.#entry(header, size, text.map)
      else this.#state = { in: 'sparse text', block: header, text, size }
    }
  }

  #header(raw: Buffer): void {
    const block = parseHeaderBlock(raw)
    if (block === undefined) {
      if (this.#isExtended()) throw damaged(this.#lastName, 'an extended header has no entry')
      this.#state = { in: 'end' }
      return
    }
    this.#lastName = block.name
    this.#headers += 1
    if (this.#headers > this.#maxHeaders) throw tooMuch(block.name, `more than ${this.#maxHeaders} headers`)
    const { type } = block
    if (type === 'x' || type === 'L' || type === 'K' || type === 'g') {
      this.#extendedHeader(block, type)
      return
    }
    if (this.#extension === noExtension && type !== 'S') {
      this.#entry(block, block.size, undefined)
      return
    }
    const records = this.#extension.records ?? noRecords
    const size = lastNumber(records, 'size', block.name) ?? block.size
    if (type === 'S') {
      const map = new SparseMap(block.name)
      addOldGnuPieces(map, raw, 386, 4, block.name)
      const sized = { ...block, size: oldGnuRealSize(raw, block.name) }
      if (raw[482] === 0) this.#entry(sized, size, map)
      else this.#state = { in: 'sparse blocks', block: sized, map, size }
    } else if (lastValue(records, 'GNU.sparse.major') === '1') {
      this.#state = { in: 'sparse text', block, text: new SparseText(block.name), size }
    } else if (lastValue(records, 'GNU.sparse.size') !== undefined) {
      const map = new SparseMap(block.name)
      addPaxPieces(map, records, block.name)
      this.#entry(block, size, map)
    } else this.#entry(block, size, undefined)
  }

  #extendedHeader(block: HeaderBlock, type: 'x' | 'L' | 'K' | 'g'): void {
    const limit = tarLimits.extendedHeader
    if (block.size > limit) throw tooMuch(block.name, `an extended header of more than ${limit} bytes`)
    this.#padding = paddingOf(block.size)
    this.#left = block.size
    // Global headers (git writes a comment there) are ignored, as by Go's reader.
    if (type === 'g') this.#state = block.size === 0 ? inHeader : { in: 'comment' }
    else if (block.size === 0) this.#body(Buffer.alloc(0), type, block.name)
    else this.#state = { in: 'body', type, name: block.name }
  }

  #body(body: Buffer, type: 'x' | 'L' | 'K', name: ByteString): void {
    this.#left = 0
    this.#state = inHeader
    if (type === 'x') {
      if (this.#extension.records !== undefined) throw damaged(name, 'two extended headers for one entry')
      this.#extension = { ...this.#extension, records: parsePaxRecords(body, name) }
      return
    }
    const end = body.indexOf(0)
    const text = body.toString('latin1', 0, end === -1 ? body.length : end)
    this.#extension = { ...this.#extension, [type === 'L' ? 'longName' : 'longLinkName']: text }
  }

  /** @param stored bytes of data that follow for it */
  #entry(block: HeaderBlock, stored: number, map: SparseMap | undefined): void {
    const entry = makeEntry(block, this.#extension, stored, map)
    this.#extension = noExtension
    this.#lastName = entry.name
    // Entries other than files have no data, whatever their size field says, as in Go's reader.
    this.#left = entry.type === 'file' ? stored : 0
    this.#padding = paddingOf(this.#left)
    this.#state = inData
    this.#handler.entry(entry)
    if (this.#left === 0) this.#endOfData()
  }

  #endOfData(): void {
    this.#state = inHeader
    this.#handler.end()
  }
}

const paddingOf = (size: number): number => (512 - (size % 512)) % 512
