import { NsboxError } from '@nsbox/errors'

/** The greatest user or group id; the next one means "unchanged" to the kernel. */
export const maxId = 4_294_967_294

/** Most bytes of `/etc/passwd` and `/etc/group`: 1 MiB. */
export const maxAccountFile = 1024 * 1024

/** The fields of a line of passwd(5) that nsbox uses. */
export interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly shell: string
}

/** A line of group(5). */
export interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/**
 * The accounts in `/etc/passwd`, in order. Malformed lines and ids beyond `maxId` are skipped.
 *
 * @throws `invalid_argument` for a file with more than `maxAccountFile` bytes or a NUL
 */
export function parsePasswd(bytes: Uint8Array): PasswdEntry[] {
  return lines(bytes, '/etc/passwd').flatMap((line) => {
    const [name, , uid, gid, , home = '', shell = ''] = line.split(':')
    const ids = { uid: idOf(uid), gid: idOf(gid) }
    if (!name || ids.uid === undefined || ids.gid === undefined) return []
    return [{ name, uid: ids.uid, gid: ids.gid, home, shell }]
  })
}

/** The groups in `/etc/group`, as `parsePasswd` reads the accounts. */
export function parseGroup(bytes: Uint8Array): GroupEntry[] {
  return lines(bytes, '/etc/group').flatMap((line) => {
    const [name, , number, members = ''] = line.split(':')
    const gid = idOf(number)
    if (!name || gid === undefined) return []
    return [{ name, gid, members: members.split(',').filter((member) => member !== '') }]
  })
}

function lines(bytes: Uint8Array, file: string): string[] {
  if (bytes.byteLength > maxAccountFile)
    throw new NsboxError('invalid_argument', `${file}: more than ${maxAccountFile} bytes`)
  if (bytes.includes(0)) throw new NsboxError('invalid_argument', `${file}: has a NUL`)
  return new TextDecoder().decode(bytes).split('\n')
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id <= maxId ? id : undefined
}
