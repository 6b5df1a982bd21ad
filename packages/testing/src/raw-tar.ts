/** A header of a tar archive, with any value in each field: a hostile archive keeps no rules. */
export interface RawHeader {
  /** The bytes in the header; strings are UTF-8. */
  readonly name?: string | Uint8Array
  /** The type's character; `0`, a file, by default. */
  readonly type?: string
  readonly linkName?: string | Uint8Array
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** The size in the header; the content's real size by default. Negative numbers are written in base 256. */
  readonly size?: number | bigint
  readonly mtime?: number | bigint
  readonly major?: number
  readonly minor?: number
  readonly prefix?: string
  /** `ustar\0` with version `00` by default; `ustar  \0` for GNU's; empty for none. */
  readonly magic?: string
  readonly content?: string | Uint8Array
  /** Called on the block before its checksum is written. */
  readonly patch?: (block: Buffer) => void
}

/** One entry: header, content, padding. */
export function rawEntry(header: RawHeader): Buffer {
  const content = Buffer.from(header.content ?? '')
  const block = Buffer.alloc(512)
  const put = (offset: number, length: number, value: string | Uint8Array) => {
    const bytes = Buffer.from(value as string)
    if (bytes.length > length) throw new Error('too long for a tar header')
    bytes.copy(block, offset)
  }
  const number = (offset: number, length: number, value: number | bigint) => {
    const digits = value.toString(8)
    if (value >= 0 && digits.length < length) return put(offset, length, digits.padStart(length - 1, '0'))
    let rest = BigInt.asUintN(length * 8, BigInt(value))
    for (let at = offset + length - 1; at >= offset; at -= 1, rest >>= 8n) block[at] = Number(rest & 0xffn)
    block[offset]! |= 0x80
  }
  put(0, 100, header.name ?? 'file')
  number(100, 8, header.mode ?? 0o644)
  number(108, 8, header.uid ?? 0)
  number(116, 8, header.gid ?? 0)
  number(124, 12, header.size ?? content.length)
  number(136, 12, header.mtime ?? 0)
  put(156, 1, header.type ?? '0')
  put(157, 100, header.linkName ?? '')
  put(257, 8, header.magic ?? 'ustar\x0000')
  if ((header.magic ?? 'ustar') !== '') {
    number(329, 8, header.major ?? 0)
    number(337, 8, header.minor ?? 0)
  }
  if (header.prefix !== undefined) put(345, 155, header.prefix)
  header.patch?.(block)
  put(148, 8, ' '.repeat(8))
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `)
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

/** An extended header (PAX) with these records, for the entry that follows it. */
export function paxHeader(records: readonly (readonly [key: string, value: string | Uint8Array])[]): Buffer {
  const lines = records.map(([key, value]) => {
    const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')])
    let length = body.length + 1
    while (String(length).length + body.length !== length) length += 1
    return Buffer.concat([Buffer.from(String(length)), body])
  })
  return rawEntry({ name: 'PaxHeaders/x', type: 'x', content: Buffer.concat(lines) })
}

/** GNU's form of a long name (`L`) or a long link target (`K`), for the entry that follows it. */
export function gnuLongName(type: 'L' | 'K', name: string): Buffer {
  return rawEntry({ name: '././@LongLink', type, magic: 'ustar  \0', content: `${name}\0` })
}

/** An archive of finished entries, with the two blocks at its end. */
export function rawTar(...entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(1024)])
}
