import { timingSafeEqual } from 'node:crypto'
import { NsboxError, quoted } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import type { PeerCredentials } from '@nsbox/sys/descriptors'
import { ownFile, readBoundedFile } from '../configuration/bounded-file.ts'
import { parseToml } from '../configuration/toml-document.ts'
import { type Access, type Right, rights, union } from './access.ts'

/** The id that the kernel reports for users and groups without one here. It could be any user. */
const overflowId = 65_534

/** The most peers of one list: each connection of the socket for tenants is compared with all of them. */
const maxPeers = 4096

/** How a peer is identified. */
type Mark =
  | { readonly uid: number }
  | { readonly gid: number }
  | { readonly certificate: string }
  | { readonly token: Buffer }

interface Entry {
  readonly mark: Mark
  readonly access: Access
}

/** An access list. */
export class AccessList {
  readonly #entries: readonly Entry[]

  constructor(entries: readonly Entry[]) {
    this.#entries = entries
  }

  /** The namespaces of tenants. */
  get namespaces(): ReadonlySet<string> {
    return new Set(this.#entries.flatMap(({ access }) => [...(access.grants?.keys() ?? [])]))
  }

  get hasTokens(): boolean {
    return this.#entries.some(({ mark }) => 'token' in mark)
  }

  /** The access of a process that has connected to a socket of this host: that of its user and of all its groups. */
  ofProcess({ uid, gid, groups }: Omit<PeerCredentials, 'pid'>): Access | undefined {
    const all = new Set([gid, ...groups])
    const found = this.#entries.filter(
      ({ mark }) => ('uid' in mark && mark.uid === uid) || ('gid' in mark && all.has(mark.gid)),
    )
    const names = found.map(({ access }) => access.peer).join('+')
    // Streams belong to the user, even if a whole group is listed.
    return found.length === 0
      ? undefined
      : union(
          `${names} (uid ${uid})`,
          found.map(({ access }) => access),
        )
  }

  /** The access of a certificate of a client authority with these names. */
  ofCertificate(names: readonly string[]): Access | undefined {
    return this.#entries.find(({ mark }) => 'certificate' in mark && names.includes(mark.certificate))?.access
  }

  /**
   * The access of a token. Takes constant time.
   * @param digest the token's SHA-256, in hexadecimal
   */
  ofToken(digest: string): Access | undefined {
    const wanted = Buffer.from(digest, 'hex')
    let access: Access | undefined
    for (const entry of this.#entries)
      if ('token' in entry.mark && timingSafeEqual(entry.mark.token, wanted)) access = entry.access
    return access
  }
}

/**
 * Reads an access list. It must be a regular file that only root or the server's own user can write to.
 *
 * @throws `permission_denied` if others can write to it; `invalid_argument` for anything malformed or unknown in it,
 * naming it; `not_found`
 */
export async function readAccessList(path: string): Promise<AccessList> {
  const what = `access list ${path}`
  return parseAccessList(await readBoundedFile(path, what, ownFile(what)), what)
}

/** Reads an access list from its text, in TOML; `what` names it in errors. @throws `invalid_argument` */
export function parseAccessList(text: string, what: string): AccessList {
  const { peer: peers = [], ...others } = parseToml(text, what)
  for (const key of Object.keys(others)) throw wrong(what, `unknown key ${JSON.stringify(key)}`)
  if (!Array.isArray(peers)) throw wrong(what, 'peer must be a list of tables, [[peer]]')
  if (peers.length > maxPeers) throw wrong(what, `${peers.length} peers, at most ${maxPeers} are allowed`)
  const entries = peers.map((peer: unknown, index) => parsePeer(peer, `${what}: peer ${index + 1}`))
  const names = new Set<string>()
  for (const { access } of entries) {
    if (names.has(access.peer)) throw wrong(what, `name ${JSON.stringify(access.peer)} is there twice`)
    names.add(access.peer)
  }
  return new AccessList(entries)
}

const keys = ['name', 'uid', 'gid', 'certificate', 'token_sha256', 'everything', 'namespaces']

function parsePeer(peer: unknown, what: string): Entry {
  if (!isTable(peer)) throw wrong(what, 'is no table')
  const strange = Object.keys(peer).find((key) => !keys.includes(key))
  if (strange !== undefined) throw wrong(what, `unknown key ${JSON.stringify(strange)}`)
  const { name, everything, namespaces, ...marks } = peer
  if (typeof name !== 'string') throw wrong(what, 'has no name')
  context(`${what}: name`, () => validateIdentifier(name))
  const mark = parseMark(marks, what)
  if ((everything === undefined) === (namespaces === undefined))
    throw wrong(what, 'must have either namespaces or everything = true')
  if (everything !== undefined) {
    if (everything !== true) throw wrong(what, 'everything can only be true')
    return { mark, access: { peer: name } }
  }
  return { mark, access: { peer: name, grants: parseGrants(namespaces, what) } }
}

function parseMark(marks: Readonly<Record<string, unknown>>, what: string): Mark {
  const [given, ...more] = Object.entries(marks)
  if (given === undefined || more.length > 0)
    throw wrong(what, 'must have one of uid, gid, certificate and token_sha256')
  const [kind, value] = given
  if (kind === 'uid' || kind === 'gid') {
    const isId = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32 - 1
    if (!isId) throw wrong(what, `${kind} is no number of a user or group`)
    if (value === overflowId)
      throw wrong(what, `${kind} ${overflowId} is what everybody looks like who has no number on this host`)
    return kind === 'uid' ? { uid: value } : { gid: value }
  }
  if (typeof value !== 'string') throw wrong(what, `${kind} must be a text`)
  if (kind === 'certificate') {
    if (value === '' || value.length > 1024 || /\p{Cc}/u.test(value))
      throw wrong(what, 'certificate is no name')
    return { certificate: value }
  }
  if (!/^[0-9a-f]{64}$/.test(value)) throw wrong(what, 'token_sha256 must have 64 hexadecimal digits')
  return { token: Buffer.from(value, 'hex') }
}

function parseGrants(namespaces: unknown, what: string): ReadonlyMap<string, ReadonlySet<Right>> {
  if (!isTable(namespaces)) throw wrong(what, 'namespaces must be a table')
  return new Map(
    Object.entries(namespaces).map(([namespace, given]) => {
      const field = `${what}: namespace ${quoted(namespace)}`
      context(field, () => validateIdentifier(namespace))
      // A container's cgroup is in one that is named after its namespace, which must not be one of systemd's.
      if (/\.(?:slice|scope|service|mount|socket|swap)$/.test(namespace))
        throw wrong(field, 'is called like a unit of systemd')
      if (!Array.isArray(given) || given.length === 0) throw wrong(field, 'must have a list of rights')
      return [namespace, new Set(given.map((right: unknown) => parseRight(right, field)))]
    }),
  )
}

function parseRight(value: unknown, what: string): Right {
  const right = rights.find((each) => each === value)
  if (right === undefined) throw wrong(what, `a right is one of ${rights.join(', ')}`)
  return right
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

function context(what: string, check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${what} is invalid`, { cause })
  }
}

function wrong(what: string, why: string): NsboxError {
  return new NsboxError('invalid_argument', `${what}: ${why}`)
}
