import type { ByteString } from './byte-string.ts'
import { damaged, refused } from './tar-error.ts'

/** The fields of a 512-byte header that every dialect has. */
export interface HeaderBlock {
  readonly name: ByteString
  readonly linkName: ByteString
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly type: string
  readonly major: number
  readonly minor: number
}

/** @returns undefined for a block of zeros, which ends an archive */
export function parseHeaderBlock(block: Buffer): HeaderBlock | undefined {
  const sums = checksums(block)
  if (sums === undefined) return undefined
  const short = textField(block, 0, 100)
  const checksum = octal(block, 148, 8)
  if (checksum !== sums.unsigned && checksum !== sums.signed)
    throw damaged(short, 'its header has a wrong checksum')
  const size = number(block, 124, 12, 'size', short)
  if (size < 0) throw refused(short, `negative size ${size}`)
  const magic = block.toString('latin1', 257, 263)
  const posix = magic === 'ustar\0'
  const prefix = posix ? textField(block, 345, 155) : ''
  const typed = posix || magic === 'ustar '
  const type = String.fromCharCode(block[156]!)
  return {
    name: prefix === '' ? short : `${prefix}/${short}`,
    linkName: textField(block, 157, 100),
    mode: number(block, 100, 8, 'mode', short) & 0o7777,
    uid: id(block, 108, 'user id', short),
    gid: id(block, 116, 'group id', short),
    size,
    mtime: number(block, 136, 12, 'time', short),
    type,
    major: typed ? number(block, 329, 8, 'device number', short) : 0,
    minor: typed ? number(block, 337, 8, 'device number', short) : 0,
  }
}

function number(block: Buffer, offset: number, length: number, field: string, name: ByteString): number {
  const value = numberField(block, offset, length)
  if (value === undefined) throw refused(name, `its header has no valid ${field}`)
  return value
}

function id(block: Buffer, offset: number, field: string, name: ByteString): number {
  const value = number(block, offset, 8, field, name)
  if (value < 0 || value > 0xfffffffe) throw refused(name, `${field} ${value} is out of range`)
  return value
}

/** A field that ends at its first NUL. */
function textField(block: Buffer, offset: number, length: number): ByteString {
  if (block[offset] === 0) return ''
  const end = block.indexOf(0, offset)
  return block.toString('latin1', offset, end === -1 || end > offset + length ? offset + length : end)
}

/**
 * A number in octal, or in base 256 where its first bit is set.
 * @returns undefined for anything else; numbers beyond the safe integers are rounded
 */
export function numberField(block: Buffer, offset: number, length: number): number | undefined {
  const first = block[offset]!
  if ((first & 0x80) === 0) return octal(block, offset, length)
  // Two's complement. The bit that marks the form extends the sign in 0xff, and is not part of the number in 0x80.
  let value = BigInt.asIntN(7, BigInt(first & 0x7f))
  for (let at = offset + 1; at < offset + length; at += 1) value = (value << 8n) | BigInt(block[at]!)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER
  return Number(value)
}

function octal(block: Buffer, offset: number, length: number): number | undefined {
  let value = 0
  let at = offset
  const end = offset + length
  while (at < end && block[at] === 0x20) at += 1
  for (; at < end; at += 1) {
    const byte = block[at]!
    if (byte === 0 || byte === 0x20) break
    if (byte < 0x30 || byte > 0x37) return undefined
    value = value * 8 + (byte - 0x30)
  }
  return value
}

/** The sum of all bytes, with the checksum field as spaces. Old archives sum signed bytes. */
function checksums(block: Buffer): { unsigned: number; signed: number } | undefined {
  let unsigned = 0
  let high = 0
  for (let at = 0; at < 512; at += 1) {
    const byte = block[at]!
    unsigned += byte
    if (byte > 127) high += 1
  }
  if (unsigned === 0) return undefined
  for (let at = 148; at < 156; at += 1) {
    const byte = block[at]!
    unsigned -= byte - 32
    if (byte > 127) high -= 1
  }
  return { unsigned, signed: unsigned - 256 * high }
}
