import type { ByteString } from './byte-string.ts'
import type { TarEntry, TarEntryType, TarTime } from './tar-entry.ts'

const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/**
 * The header of an entry in ustar format, preceded by an extended header for what does not fit: long names, big
 * numbers, fractions of seconds, times before 1970, extended attributes. The same entry always gives the same bytes.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const records: [ByteString, ByteString][] = []
  const { name, linkName, uid, gid, mtime } = entry
  const size = entry.type === 'file' ? entry.size : 0
  if (name.length > 100) records.push(['path', name])
  if (linkName.length > 100) records.push(['linkpath', linkName])
  if (uid > 0o7777777) records.push(['uid', String(uid)])
  if (gid > 0o7777777) records.push(['gid', String(gid)])
  if (size > 0o77777777777) records.push(['size', String(size)])
  const plainTime = mtime.nanoseconds === 0 && mtime.seconds >= 0 && mtime.seconds <= 0o77777777777
  if (!plainTime) records.push(['mtime', decimal(mtime)])
  for (const [attribute, value] of [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1)))
    records.push([`SCHILY.xattr.${attribute}`, Buffer.from(value).toString('latin1')])
  const header = block(entry, size, plainTime ? mtime.seconds : 0)
  if (records.length === 0) return header
  const body = Buffer.from(records.map(record).join(''), 'latin1')
  const extended: TarEntry = {
    ...entry,
    type: 'file',
    name: 'PaxHeaders/entry',
    linkName: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: { seconds: 0, nanoseconds: 0 },
  }
  return Buffer.concat([block(extended, body.length, 0, 'x'), body, padding(body.length), header])
}

/** The padding after content of this size. */
export function padding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512)
}

function record([key, value]: readonly [ByteString, ByteString]): ByteString {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length += 1
  return `${length}${rest}`
}

function decimal({ seconds, nanoseconds }: TarTime): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
  const digits = String(total < 0n ? -total : total).padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '')
  return `${total < 0n ? '-' : ''}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`
}

function block(entry: TarEntry, size: number, seconds: number, type = typeFlags[entry.type]): Buffer {
  const bytes = Buffer.alloc(512)
  const text = (offset: number, length: number, value: ByteString) =>
    bytes.write(value.slice(0, length), offset, 'latin1')
  const octal = (offset: number, length: number, value: number, fits: number) =>
    text(offset, length, (value > fits ? 0 : value).toString(8).padStart(length - 1, '0'))
  text(0, 100, entry.name)
  octal(100, 8, entry.mode, 0o7777777)
  octal(108, 8, entry.uid, 0o7777777)
  octal(116, 8, entry.gid, 0o7777777)
  octal(124, 12, size, 0o77777777777)
  octal(136, 12, seconds, 0o77777777777)
  text(148, 8, '        ')
  text(156, 1, type)
  text(157, 100, entry.linkName)
  text(257, 8, 'ustar\x0000')
  octal(329, 8, entry.major, 0o7777777)
  octal(337, 8, entry.minor, 0o7777777)
  let sum = 0
  for (let at = 0; at < bytes.length; at += 1) sum += bytes[at]!
  text(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `)
  return bytes
}
