import type { ByteString } from './byte-string.ts'
import type { HeaderBlock } from './header-block.ts'
import { lastNumber, lastValue, type PaxRecords, paxTime, paxXattrs } from './pax-records.ts'
import type { SparseMap } from './sparse-map.ts'
import type { SparsePiece, TarEntry, TarEntryType } from './tar-entry.ts'
import { refused } from './tar-error.ts'

/** The extended headers before an entry. */
export interface Extension {
  records?: PaxRecords
  longName?: ByteString
  longLinkName?: ByteString
}

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

export const noRecords: PaxRecords = []

/** No extended headers. */
export const noExtension: Readonly<Extension> = {}
const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map()

/** An entry's name, from the field that has it. */
function entryName(block: HeaderBlock, { records = noRecords, longName }: Readonly<Extension>): ByteString {
  return lastValue(records, 'GNU.sparse.name') ?? lastValue(records, 'path') ?? longName ?? block.name
}

/** An entry's type; entries without a meaning in a layer are refused. */
function entryType(block: HeaderBlock, name: ByteString, stored: number): TarEntryType {
  const type = types[block.type]
  if (type === undefined)
    throw refused(name, `entries of type ${JSON.stringify(block.type)} have no meaning in a layer`)
  // Archives without a magic mark directories by a trailing slash only.
  return type === 'file' && name.endsWith('/') && (block.type === '\0' || stored === 0) ? 'directory' : type
}

/**
 * Makes an entry of its header and the extended headers before it.
 * @param stored bytes of data that follow for it
 * @param map of a sparse file
 */
export function makeEntry(
  block: HeaderBlock,
  extension: Readonly<Extension>,
  stored: number,
  map: SparseMap | undefined,
): TarEntry {
  if (extension === noExtension && map === undefined) return plainEntry(block, stored)
  const records = extension.records ?? noRecords
  const name = entryName(block, extension)
  const type = entryType(block, name, stored)
  const id = (key: string, fallback: number) => {
    const value = lastNumber(records, key, name) ?? fallback
    if (value > 0xfffffffe) throw refused(name, `${key} ${value} is out of range`)
    return value
  }
  const mtime = lastValue(records, 'mtime')
  let size = type === 'file' ? stored : 0
  let sparse: readonly SparsePiece[] | undefined
  if (map !== undefined) {
    if (type !== 'file') throw refused(name, 'only files can be sparse')
    size =
      lastNumber(records, 'GNU.sparse.realsize', name) ??
      lastNumber(records, 'GNU.sparse.size', name) ??
      block.size
    sparse = map.finish(stored, size)
  }
  return {
    type,
    name,
    linkName: lastValue(records, 'linkpath') ?? extension.longLinkName ?? block.linkName,
    mode: block.mode,
    uid: id('uid', block.uid),
    gid: id('gid', block.gid),
    size,
    mtime: mtime === undefined ? { seconds: block.mtime, nanoseconds: 0 } : paxTime(mtime, 'mtime', name),
    major: block.major,
    minor: block.minor,
    xattrs: paxXattrs(records, name),
    ...(sparse === undefined ? {} : { sparse }),
  }
}

/** The common case: everything is in one header. */
function plainEntry(block: HeaderBlock, stored: number): TarEntry {
  const { name, linkName, mode, uid, gid, mtime, major, minor } = block
  const type = entryType(block, name, stored)
  return {
    type,
    name,
    linkName,
    mode,
    uid,
    gid,
    size: type === 'file' ? stored : 0,
    mtime: { seconds: mtime, nanoseconds: 0 },
    major,
    minor,
    xattrs: noXattrs,
  }
}
