import { NsboxError, quoted } from '@nsbox/errors'
import { maxAccountFile, maxId, parseGroup, parsePasswd } from './account-file.ts'
import type { User } from './process.ts'

/** A user in the form that people and images write. */
export interface UserName {
  readonly user: string | number
  readonly group?: string | number | undefined
}

/**
 * Reads `user`, `user:group` or `:group`, each a name or a number. A text that looks like a number is one: it is never
 * looked up as a name, and never wraps around (docs/threat-model.md B10). Empty parts mean root, 0.
 *
 * @throws `invalid_argument`
 */
export function parseUser(text: string): UserName {
  const refuse = (why: string): NsboxError =>
    new NsboxError('invalid_argument', `user ${quoted(text)}: ${why}`)
  const parts = text.split(':')
  if (parts.length > 2) throw refuse('not of the form user[:group]')
  const [user, group] = parts.map((part): string | number => {
    if (/[\p{Cc}\s]/u.test(part)) throw refuse('has white space or control characters')
    if (!/^[+-]?[0-9]+$/.test(part)) return part
    const id = Number(part)
    if (!(id >= 0 && id <= maxId)) throw refuse(`id out of the range 0 to ${maxId}`)
    return id + 0
  })
  if (group === '') throw refuse('empty group')
  return group === undefined ? { user: user || 0 } : { user: user || 0, group }
}

/** Reads files of a root file system without a running container. */
export interface RootfsReader {
  /**
   * @param path absolute, inside the root; symbolic links on the way must be followed inside as well
   * @returns `undefined` if there is no such file
   * @throws if the file has more than `maxBytes` bytes, or is not a regular file
   */
  readFile(
    path: string,
    options: { readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array | undefined>
}

/**
 * The ids of a user in a root file system: by its `/etc/passwd` and `/etc/group`, which need not exist for numbers.
 *
 * Without a group: the user's own group and all that list the user; with one: only that. The supplementary groups
 * always include the primary one, without which a process could pass files that deny access to that group
 * (docs/threat-model.md B11). A number without an account gets group 0.
 *
 * @param name as for `parseUser`; an image without `USER` has the empty text, which is root
 * @throws `invalid_argument` for a malformed user or file; `not_found` for a name that the files do not have
 */
export async function resolveUser(
  name: string,
  rootfs: RootfsReader,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<User> {
  const { user, group } = parseUser(name)
  const read = async (path: string): Promise<Uint8Array> => {
    signal?.throwIfAborted()
    return (await rootfs.readFile(path, { maxBytes: maxAccountFile, signal })) ?? new Uint8Array()
  }
  if (typeof user === 'number' && typeof group === 'number')
    return { uid: user, gid: group, additionalGids: [group] }
  const account = parsePasswd(await read('/etc/passwd')).find((each) =>
    typeof user === 'number' ? each.uid === user : each.name === user,
  )
  if (typeof user === 'string' && account === undefined)
    throw new NsboxError('not_found', `user ${quoted(user)} in /etc/passwd`)
  const uid = typeof user === 'number' ? user : account!.uid
  if (typeof group === 'number') return { uid, gid: group, additionalGids: [group] }
  const groups = parseGroup(await read('/etc/group'))
  if (group !== undefined) {
    const found = groups.find((each) => each.name === group)
    if (found === undefined) throw new NsboxError('not_found', `group ${quoted(group)} in /etc/group`)
    return { uid, gid: found.gid, additionalGids: [found.gid] }
  }
  const gid = account?.gid ?? 0
  const listed = groups.filter((each) => account !== undefined && each.members.includes(account.name))
  return { uid, gid, additionalGids: [...new Set([gid, ...listed.map((each) => each.gid)])] }
}
