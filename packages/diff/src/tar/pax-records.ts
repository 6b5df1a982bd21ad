import type { ByteString } from './byte-string.ts'
import type { TarTime } from './tar-entry.ts'
import { damaged, refused, tooMuch } from './tar-error.ts'
import { tarLimits } from './tar-limits.ts'

/** The records of an extended header, in order: the old sparse format repeats keys. */
export type PaxRecords = readonly (readonly [key: ByteString, value: ByteString])[]

/** Parses records of the form `length key=value\n`. */
export function parsePaxRecords(body: Buffer, name: ByteString): PaxRecords {
  const records: [ByteString, ByteString][] = []
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(0x20, at)
    const digits = space === -1 || space - at > 10 ? '' : body.toString('latin1', at, space)
    const end = at + Number(digits)
    if (!/^[1-9][0-9]*$/.test(digits) || end > body.length || end <= space + 1 || body[end - 1] !== 0x0a)
      throw damaged(name, 'malformed record in an extended header')
    const equals = body.indexOf(0x3d, space)
    if (equals <= space + 1 || equals >= end) throw damaged(name, 'malformed record in an extended header')
    if (records.length >= tarLimits.records) throw tooMuch(name, `more than ${tarLimits.records} records`)
    records.push([body.toString('latin1', space + 1, equals), body.toString('latin1', equals + 1, end - 1)])
    at = end
  }
  return records
}

/** A decimal number of at least 0. */
export function paxNumber(value: ByteString, key: string, name: ByteString): number {
  const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw refused(name, `invalid ${key}`)
  return number
}

/** A decimal number with fractions; digits beyond nanoseconds are cut off. */
export function paxTime(value: ByteString, key: string, name: ByteString): TarTime {
  const match = /^(-?)([0-9]{1,30})(?:\.([0-9]*))?$/.exec(value)
  if (match === null) throw refused(name, `invalid ${key}`)
  const [, sign, whole, places = ''] = match
  const seconds = Math.min(Number(whole), Number.MAX_SAFE_INTEGER)
  const nanoseconds = Number(places.slice(0, 9).padEnd(9, '0'))
  if (sign === '') return { seconds, nanoseconds }
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds }
    : { seconds: Math.max(-seconds - 1, Number.MIN_SAFE_INTEGER), nanoseconds: 1_000_000_000 - nanoseconds }
}

/** The last record with a key counts; an empty value cancels earlier ones (POSIX, pax). */
export function lastValue(records: PaxRecords, key: string): ByteString | undefined {
  for (let index = records.length - 1; index >= 0; index -= 1) {
    const record = records[index]!
    if (record[0] === key) return record[1] === '' ? undefined : record[1]
  }
  return undefined
}

/** `lastValue` as a number. */
export function lastNumber(records: PaxRecords, key: string, name: ByteString): number | undefined {
  const value = lastValue(records, key)
  return value === undefined ? undefined : paxNumber(value, key, name)
}

const schily = 'SCHILY.xattr.'
const libarchive = 'LIBARCHIVE.xattr.'

/** The extended attributes among the records. Those of SCHILY are raw bytes; those of LIBARCHIVE are in base64. */
export function paxXattrs(records: PaxRecords, name: ByteString): ReadonlyMap<ByteString, Uint8Array> {
  const xattrs = new Map<ByteString, Uint8Array>()
  for (const [key, value] of records) {
    if (key.startsWith(schily)) xattrs.set(key.slice(schily.length), Buffer.from(value, 'latin1'))
    else if (key.startsWith(libarchive)) {
      const attribute = percentDecoded(key.slice(libarchive.length))
      // If both forms are present they are equal; the raw form is unambiguous.
      if (!xattrs.has(attribute)) xattrs.set(attribute, Buffer.from(value, 'base64'))
    }
  }
  if (xattrs.size > tarLimits.xattrs) throw tooMuch(name, `more than ${tarLimits.xattrs} extended attributes`)
  return xattrs
}

function percentDecoded(text: ByteString): ByteString {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}
