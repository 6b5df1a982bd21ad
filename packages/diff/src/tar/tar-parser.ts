import type { ByteString } from './byte-string.ts'
import { type HeaderBlock, numberField, parseHeaderBlock } from './header-block.ts'
import { type PaxRecords, parsePaxRecords, paxNumber, paxTime, paxXattrs } from './pax-records.ts'
import { addOldGnuPieces, addPaxPieces, SparseMap } from './sparse-map.ts'
import type { SparsePiece, TarEntry, TarEntryType } from './tar-entry.ts'
import { damaged, refused, tooMuch } from './tar-error.ts'
import { defaultTarLimits, type TarLimits } from './tar-limits.ts'

/** What a parser tells, in the archive's order. What a handler throws ends the parsing. */
export interface TarHandler {
  entry(entry: TarEntry): void
  /** A piece of the content of the last entry, valid during the call only. Sparse files: the stored pieces. */
  data(bytes: Buffer): void
  /** The last entry's content is complete. */
  end(): void
}

/** What precedes an entry and changes it. */
interface Extension {
  records?: PaxRecords
  longName?: ByteString
  longLinkName?: ByteString
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
  | { readonly in: 'sparse text'; readonly block: HeaderBlock; readonly size: number }
  | { readonly in: 'data' }
  | { readonly in: 'end' }

const types: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
}

const noRecords: PaxRecords = []

/**
 * Parses a tar archive of the dialects v7, ustar, PAX and GNU that is pushed in pieces of any size. It is synchronous,
 * keeps names and attributes as bytes, and knows all sparse formats. Bytes after the two blocks that end an archive are
 * ignored.
 *
 * Errors name the entry: `data_loss` for a damaged or truncated archive, `invalid_argument` for one that says what no
 * archive may, `resource_exhausted` beyond the limits.
 */
export class TarParser {
  readonly #handler: TarHandler
  readonly #limits: TarLimits
  #state: State = { in: 'header' }
  #extension: Extension = {}
  #headers = 0
  #lastName: ByteString = ''
  /** Bytes of the present content that have not come yet, and of the padding after it. */
  #left = 0
  #padding = 0
  /** Collects blocks and bodies that arrive in pieces. */
  #held: Buffer[] = []
  #heldSize = 0

  constructor(handler: TarHandler, limits: TarLimits = defaultTarLimits) {
    this.#handler = handler
    this.#limits = limits
  }

  /** How many headers have been read. */
  get headers(): number {
    return this.#headers
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#state.in === 'end') return
      if (this.#state.in === 'data' && this.#left > 0) {
        const piece = chunk.subarray(at, at + this.#left)
        at += piece.length
        this.#left -= piece.length
        this.#handler.data(piece)
        if (this.#left === 0) this.#endOfData()
      } else if (this.#padding > 0 && this.#state.in === 'header') {
        const skipped = Math.min(this.#padding, chunk.length - at)
        at += skipped
        this.#padding -= skipped
      } else {
        const wanted = this.#state.in === 'body' ? this.#left : 512
        const piece = chunk.subarray(at, at + wanted - this.#heldSize)
        at += piece.length
        if (this.#heldSize === 0 && piece.length === wanted) this.#block(piece)
        else {
          // The chunk is the caller's; what is kept beyond the call is a copy.
          this.#held.push(Buffer.from(piece))
          this.#heldSize += piece.length
          if (this.#heldSize < wanted) continue
          const whole = Buffer.concat(this.#held)
          this.#held = []
          this.#heldSize = 0
          this.#block(whole)
        }
      }
    }
  }

  /** Says that nothing follows. @throws `data_loss` if an entry or the end of the archive is missing */
  finish(): void {
    // An archive without the blocks at its end is complete as long as nothing is cut, as Go's reader has it.
    if (this.#state.in === 'end') return
    const cut = this.#state.in !== 'header' || this.#heldSize > 0 || this.#padding > 0 || this.#isExtended()
    if (cut || this.#headers === 0) throw damaged(this.#lastName, 'the archive is truncated')
  }

  #isExtended(): boolean {
    const { records, longName, longLinkName } = this.#extension
    return records !== undefined || longName !== undefined || longLinkName !== undefined
  }

  #block(block: Buffer): void {
    const state = this.#state
    if (state.in === 'header') this.#header(block)
    else if (state.in === 'body') this.#body(block, state.type, state.name)
    else if (state.in === 'sparse blocks') {
      addOldGnuPieces(state.map, block, 0, 21, state.block.name)
      if (block[504] === 0) this.#entry(state.block, state.size, state.map)
    } else if (state.in === 'sparse text') this.#sparseText(block, state.block, state.size)
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
    if (this.#headers > this.#limits.headers)
      throw tooMuch(block.name, `more than ${this.#limits.headers} headers`)
    const { type } = block
    if (type === 'x' || type === 'L' || type === 'K' || type === 'g') {
      const limit = this.#limits.extendedHeader
      if (block.size > limit) throw tooMuch(block.name, `an extended header of more than ${limit} bytes`)
      this.#left = block.size
      this.#padding = paddingOf(block.size)
      // What a global header says (git puts a comment there) is not applied, as in Go's reader.
      if (type === 'g') {
        this.#padding += this.#left
        this.#left = 0
        return
      }
      if (block.size === 0) this.#body(Buffer.alloc(0), type, block.name)
      else this.#state = { in: 'body', type, name: block.name }
      return
    }
    const records = this.#extension.records ?? noRecords
    const size = lastNumber(records, 'size', block.name) ?? block.size
    if (type === 'S') {
      const map = new SparseMap(block.name, this.#limits)
      addOldGnuPieces(map, raw, 386, 4, block.name)
      const realSize = parseRealSize(raw, block.name)
      const sized = { ...block, size: realSize }
      if (raw[482] === 0) this.#entry(sized, size, map)
      else this.#state = { in: 'sparse blocks', block: sized, map, size }
    } else if (last(records, 'GNU.sparse.major') === '1') {
      this.#sparseNumbers = undefined
      this.#sparseLine = ''
      this.#state = { in: 'sparse text', block, size }
    } else if (last(records, 'GNU.sparse.size') !== undefined) {
      const map = new SparseMap(block.name, this.#limits)
      addPaxPieces(map, records, block.name)
      this.#entry(block, size, map)
    } else this.#entry(block, size)
  }

  #body(body: Buffer, type: 'x' | 'L' | 'K', name: ByteString): void {
    this.#left = 0
    this.#state = { in: 'header' }
    if (type === 'x') {
      if (this.#extension.records !== undefined) throw damaged(name, 'two extended headers for one entry')
      this.#extension.records = parsePaxRecords(body, name, this.#limits)
      return
    }
    const end = body.indexOf(0)
    const text = body.toString('latin1', 0, end === -1 ? body.length : end)
    if (type === 'L') this.#extension.longName = text
    else this.#extension.longLinkName = text
  }

  #sparseLine = ''
  #sparseNumbers: { wanted: number; map: SparseMap; offset: number | undefined } | undefined

  /** Sparse format 1.0: the map stands as decimal lines before the data, padded to whole blocks. */
  #sparseText(raw: Buffer, block: HeaderBlock, size: number): void {
    const left = size - 512
    if (left < 0) throw damaged(block.name, 'malformed sparse map')
    const lines = (this.#sparseLine + raw.toString('latin1')).split('\n')
    this.#sparseLine = lines.pop()!
    if (this.#sparseLine.replaceAll('\0', '').length > 20) throw damaged(block.name, 'malformed sparse map')
    for (const line of lines) {
      const number = paxNumber(line, 'sparse map', block.name)
      const numbers = this.#sparseNumbers
      if (numbers === undefined) {
        if (number > this.#limits.sparsePieces)
          throw tooMuch(block.name, `more than ${this.#limits.sparsePieces} pieces in a sparse file`)
        this.#sparseNumbers = {
          wanted: number,
          map: new SparseMap(block.name, this.#limits),
          offset: undefined,
        }
      } else if (numbers.map.pieces.length >= numbers.wanted)
        throw damaged(block.name, 'malformed sparse map')
      else if (numbers.offset === undefined) numbers.offset = number
      else {
        numbers.map.add(numbers.offset, number)
        numbers.offset = undefined
      }
    }
    const { wanted, map } = this.#sparseNumbers ?? {}
    if (map !== undefined && map.pieces.length === wanted) this.#entry(block, left, map)
    else this.#state = { in: 'sparse text', block, size: left }
  }

  /** @param stored bytes of data that follow for it */
  #entry(block: HeaderBlock, stored: number, map?: SparseMap): void {
    const extension = this.#extension
    this.#extension = {}
    const records = extension.records ?? noRecords
    const name = last(records, 'GNU.sparse.name') ?? last(records, 'path') ?? extension.longName ?? block.name
    this.#lastName = name
    let type = types[block.type]
    if (type === undefined)
      throw refused(name, `entries of type ${JSON.stringify(block.type)} have no meaning in a layer`)
    // Archives without a magic mark directories by their names only.
    if (type === 'file' && name.endsWith('/') && (block.type === '\0' || stored === 0)) type = 'directory'
    const id = (key: string, fallback: number) => {
      const value = lastNumber(records, key, name) ?? fallback
      if (value > 0xfffffffe) throw refused(name, `${key} ${value} is out of range`)
      return value
    }
    const mtime = last(records, 'mtime')
    // Entries that are no files have no data, whatever their size says, as in Go's reader.
    const dataSize = type === 'file' ? stored : 0
    let size = dataSize
    let sparse: readonly SparsePiece[] | undefined
    if (map !== undefined) {
      if (type !== 'file') throw refused(name, 'only files can be sparse')
      size =
        lastNumber(records, 'GNU.sparse.realsize', name) ??
        lastNumber(records, 'GNU.sparse.size', name) ??
        block.size
      sparse = map.finish(stored, size)
    }
    this.#left = dataSize
    this.#padding = paddingOf(dataSize)
    this.#state = { in: 'data' }
    this.#handler.entry({
      type,
      name,
      linkName: last(records, 'linkpath') ?? extension.longLinkName ?? block.linkName,
      mode: block.mode,
      uid: id('uid', block.uid),
      gid: id('gid', block.gid),
      size,
      mtime: mtime === undefined ? { seconds: block.mtime, nanoseconds: 0 } : paxTime(mtime, 'mtime', name),
      major: block.major,
      minor: block.minor,
      xattrs: paxXattrs(records, name, this.#limits),
      ...(sparse === undefined ? {} : { sparse }),
    })
    if (dataSize === 0) this.#endOfData()
  }

  #endOfData(): void {
    this.#state = { in: 'header' }
    this.#handler.end()
  }
}

const paddingOf = (size: number): number => (512 - (size % 512)) % 512

function parseRealSize(raw: Buffer, name: ByteString): number {
  const size = numberField(raw, 483, 12)
  if (size === undefined || size < 0) throw damaged(name, 'malformed sparse map')
  return size
}

/** The last record with a key counts; an empty value takes an earlier one back (POSIX, pax). */
function last(records: PaxRecords, key: string): ByteString | undefined {
  for (let index = records.length - 1; index >= 0; index -= 1) {
    const record = records[index]!
    if (record[0] === key) return record[1] === '' ? undefined : record[1]
  }
  return undefined
}

function lastNumber(records: PaxRecords, key: string, name: ByteString): number | undefined {
  const value = last(records, key)
  return value === undefined ? undefined : paxNumber(value, key, name)
}
