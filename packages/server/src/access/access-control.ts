import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { NsboxError } from '@nsbox/errors'
import { peerCredentials } from '@nsbox/sys/descriptors'
import { socketDescriptor } from '../socket-descriptor.ts'
import { type Access, covers, everything, union } from './access.ts'
import type { AccessList } from './access-list.ts'
import { certificateOf } from './certificate.ts'

/** Headers of a request as Node.js has them. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The access of a connection's peer. */
export interface ConnectionAccess {
  /**
   * The access of a call, by the current list.
   * @throws `unauthenticated` if the peer is unknown, `permission_denied` if it is known but not listed
   */
  of(headers: RequestHeaders): Access
  /** Whether everything that calls on this connection were granted is still granted. */
  isCurrent(): boolean
  /** Whether any call has been admitted. */
  readonly wasUsed: boolean
  /** The peer whose connections are counted together, and closed if unused; undefined for peers with all rights. */
  readonly source?: string | undefined
}

/** Identifies the peer of a connection. */
export type Authenticate = (socket: Socket) => ConnectionAccess

/** A peer that can open the server's own socket has all rights. */
export const ownSocket: Authenticate = () => {
  let wasUsed = false
  return {
    of() {
      wasUsed = true
      return everything
    },
    isCurrent: () => true,
    get wasUsed() {
      return wasUsed
    },
  }
}

/** Most peers on one connection: a client may use many tokens, and each is remembered. */
const maxPeers = 16

/**
 * Access by a list that can be replaced while the server runs. The identity of a connection's peer does not change; its
 * rights are looked up for each call.
 */
export class AccessControl {
  #list: AccessList
  /** All namespaces that have been a tenant's since the start; they stay sealed. */
  readonly #sealed = new Set<string>()

  constructor(list: AccessList) {
    this.#list = list
    this.replace(list)
  }

  get hasTokens(): boolean {
    return this.#list.hasTokens
  }

  replace(list: AccessList): void {
    this.#list = list
    for (const namespace of list.namespaces) this.#sealed.add(namespace)
  }

  isSealed(namespace: string): boolean {
    return this.#sealed.has(namespace)
  }

  /** For a unix socket: the peer is the user and groups of the process that has connected. */
  readonly byProcess: Authenticate = (socket) => {
    const credentials = peerCredentials(descriptorOf(socket))
    return new RememberedAccess(`uid ${credentials.uid}`, noToken, () => {
      const access = this.#list.ofProcess(credentials)
      if (access !== undefined) return access
      throw new NsboxError('permission_denied', `user ${credentials.uid} is not in the access list`)
    })
  }

  /** For TLS: the peer is the holder of a certificate or, for each call, of a token. */
  readonly byTls: Authenticate = (socket) => {
    const { names, refusal } = certificateOf(socket)
    return new RememberedAccess(`address ${socket.remoteAddress}`, tokenDigest, (digest) => {
      if (refusal !== undefined)
        throw new NsboxError('unauthenticated', `the certificate is not accepted (${refusal})`)
      if (digest !== '') {
        const access = this.#list.ofToken(digest)
        if (access !== undefined) return access
        throw new NsboxError('unauthenticated', 'the token is not in the access list')
      }
      if (names.length === 0) throw new NsboxError('unauthenticated', 'neither a certificate nor a token')
      const access = this.#list.ofCertificate(names)
      if (access !== undefined) return access
      throw new NsboxError('permission_denied', 'the name in the certificate is not in the access list')
    })
  }
}

/** The access of one connection, which remembers what its calls were granted. */
class RememberedAccess implements ConnectionAccess {
  readonly source: string
  readonly #token: (headers: RequestHeaders) => string
  readonly #look: (token: string) => Access
  /** Access by the digest of the token. */
  readonly #granted = new Map<string, Access>()

  /**
   * @param source whose connection it is
   * @param token the digest of a call's token, empty without one
   * @param look what the peer may do now
   */
  constructor(source: string, token: (headers: RequestHeaders) => string, look: (token: string) => Access) {
    this.source = source
    this.#token = token
    this.#look = look
  }

  of(headers: RequestHeaders): Access {
    const token = this.#token(headers)
    const access = this.#look(token)
    const before = this.#granted.get(token)
    if (before === undefined && this.#granted.size >= maxPeers)
      throw new NsboxError('resource_exhausted', `more than ${maxPeers} tokens on one connection`)
    if (before === undefined || !covers(before, access))
      this.#granted.set(token, before === undefined ? access : union(access.peer, [before, access]))
    return access
  }

  get wasUsed(): boolean {
    return this.#granted.size > 0
  }

  isCurrent(): boolean {
    return [...this.#granted].every(([token, access]) => {
      try {
        return covers(this.#look(token), access)
      } catch {
        return false
      }
    })
  }
}

const noToken = () => ''

/**
 * The SHA-256 of a call's token; empty without one.
 * @throws `unauthenticated` for an authorization of another kind, or more than one
 */
function tokenDigest({ authorization }: RequestHeaders): string {
  if (authorization === undefined) return ''
  const [, token] =
    (typeof authorization === 'string' && /^bearer ([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(authorization)) || []
  if (token === undefined) throw new NsboxError('unauthenticated', 'authorization is no bearer token')
  return createHash('sha256').update(token).digest('hex')
}

/** @throws `unavailable` if it has been closed */
function descriptorOf(socket: Socket): number {
  const fd = socketDescriptor(socket)
  if (fd === undefined) throw new NsboxError('unavailable', 'the connection has been closed')
  return fd
}
