import { isUtf8 } from 'node:buffer'
import { NsboxError } from '@nsbox/errors'
import type { MountInfo, MountPropagation } from './mount-info.ts'

// The kernel escapes these four and, in newer versions, more, always with three octal digits.
const escapes = /\\([0-3][0-7]{2})/g

/**
 * Parses a line of `/proc/<pid>/mountinfo` (proc(5)), without its end of line.
 *
 * @throws `internal` for a malformed line, which may be a mount that the caller must not overlook
 */
export function parseMountInfo(line: Uint8Array): MountInfo {
  // One character is one byte until the escapes are gone, since those stand for bytes.
  const fields = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1').split(' ')
  const separator = fields.indexOf('-', 6)
  const [id, parentId, device, root, mountPoint, options] = fields
  const [type, source, ...superOptions] = separator === -1 ? [] : fields.slice(separator + 1)
  if (
    !/^\d{1,10}$/.test(id!) ||
    !/^\d{1,10}$/.test(parentId ?? '') ||
    !/^\d{1,10}:\d{1,10}$/.test(device ?? '') ||
    !root ||
    !mountPoint ||
    !options ||
    !type ||
    source === undefined
  )
    throw new NsboxError('internal', `mount table: ${JSON.stringify(fields.join(' ').slice(0, 500))}`)
  const bytes = unescapedBytes(mountPoint)
  return {
    id: Number(id),
    parentId: Number(parentId),
    device: device!,
    root: text(root),
    mountPoint: bytes.toString(),
    ...(isUtf8(bytes) ? {} : { mountPointBytes: bytes }),
    options: list(options),
    propagation: propagation(fields.slice(6, separator)),
    type: text(type),
    source: text(source),
    // Some file systems print spaces unescaped, so the rest of the line is theirs.
    superOptions: list(superOptions.join(' ')),
  }
}

function unescapedBytes(field: string): Buffer {
  const plain = field.replace(escapes, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(plain, 'latin1')
}

function text(field: string): string {
  return unescapedBytes(field).toString()
}

function list(field: string): string[] {
  return field === '' ? [] : field.split(',').map(text)
}

/** Unknown fields are skipped, as proc(5) asks. */
function propagation(fields: readonly string[]): MountPropagation {
  const group = (tag: string): number | undefined => {
    const digits = fields.find((field) => field.startsWith(`${tag}:`))?.slice(tag.length + 1)
    return digits !== undefined && /^\d{1,10}$/.test(digits) ? Number(digits) : undefined
  }
  const shared = group('shared')
  const master = group('master')
  const propagateFrom = group('propagate_from')
  return {
    ...(shared === undefined ? {} : { shared }),
    ...(master === undefined ? {} : { master }),
    ...(propagateFrom === undefined ? {} : { propagateFrom }),
    unbindable: fields.includes('unbindable'),
  }
}
