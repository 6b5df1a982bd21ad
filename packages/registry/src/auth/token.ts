import type { AbortOptions } from '@nsbox/core/content'
import type { Credentials } from '@nsbox/core/transfer'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import type { Exchange, Send } from '../http/exchange.ts'
import type { HeaderFields } from '../http/header-fields.ts'
import { isInward, isLoopback } from '../http/loopback.ts'
import { type Hiding, redactUrl } from '../http/redact.ts'
import { followRedirects } from '../http/redirects.ts'
import { readBody } from '../http/response-body.ts'
import { responseError } from '../http/response-error.ts'
import { retryWithBackoff } from '../http/retry-with-backoff.ts'
import { type TlsSettings, withoutClient } from '../http/tls-settings.ts'
import type { RegistryLimits } from '../limits.ts'
import type { Scope } from './scope.ts'

/** Most bytes of a token server's answer. */
const maxTokenBody = 1024 * 1024
/** Lifetime of a token if the answer has none, by the protocol. */
const defaultLifetime = 60
const clientId = 'nsbox'

/** A request for a token. */
export interface TokenRequest extends AbortOptions {
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly Scope[]
  readonly credentials: Credentials | undefined
  /** As for the registry, but client certificates are not shown to another origin. */
  readonly tls: TlsSettings
  /** Of the registry. */
  readonly origin: string
  readonly userAgent: string
}

export interface Token {
  readonly value: string
  /** Milliseconds that it may be used for. */
  readonly lifetime: number
}

/**
 * The token server that a registry names, if credentials may be sent to it (docs/threat-model.md C01).
 *
 * @param secrets that the registry may have put into the URL
 * @throws `failed_precondition` for plain http if the registry itself does not speak it, and for this machine or a
 * link-local address if the registry is elsewhere; `invalid_argument` for an invalid URL
 */
export function checkRealm(realm: string | undefined, registry: URL, secrets: Hiding): URL {
  const context = `token server of ${registry.host}`
  if (realm === undefined || !URL.canParse(realm) || !/^https?:/i.test(realm))
    throw new NsboxError('invalid_argument', `${context}: the registry names none`)
  const url = new URL(realm)
  url.username = ''
  url.password = ''
  url.hash = ''
  if (url.protocol === 'http:' && registry.protocol !== 'http:')
    throw new NsboxError('failed_precondition', `${context}: ${redactUrl(url, secrets)} is not encrypted`)
  if (isInward(url.hostname) && !isLoopback(registry.hostname) && url.hostname !== registry.hostname)
    throw new NsboxError('failed_precondition', `${context}: ${redactUrl(url, secrets)} leads inside`)
  return url
}

/**
 * Gets a token as Docker's client does: with a refresh token by an OAuth 2 POST, otherwise by a GET with or without
 * name and password.
 *
 * @throws `unauthenticated` if the server refuses, `invalid_argument` for an answer without a usable token,
 * `unavailable`
 */
export async function fetchToken(send: Send, request: TokenRequest, limits: RegistryLimits): Promise<Token> {
  const { signal } = request
  const exchange = request.credentials?.kind === 'refresh' ? refreshExchange(request) : getExchange(request)
  const attempt = async (): Promise<Token> => {
    const reply = await (exchange.method === 'GET' ? followRedirects(send, exchange) : send(exchange))
    if (reply.status !== 200) throw await refusal(exchange, reply)
    const context = `${exchange.method} ${reply.address}`
    return parseToken(await readBody(reply.body, context, maxTokenBody, limits), context)
  }
  // A refresh token may be good for one use, so that POST is not repeated.
  const token = exchange.method === 'GET' ? retryWithBackoff(attempt, limits, { signal }) : attempt()
  return token.catch((error) => {
    throw final(error)
  })

  async function refusal(exchange: Exchange, reply: Awaited<ReturnType<Send>>): Promise<NsboxError> {
    const error = await responseError(exchange, reply, limits)
    // Docker Hub answers a wrong password with 401, others with 400 (`invalid_grant`) or 403.
    const refused = reply.status === 400 || reply.status === 401 || reply.status === 403
    return refused ? new NsboxError('unauthenticated', error.context, { details: error.details }) : error
  }
}

/** Not transient for the caller, since it has been tried often enough here. */
function final(error: unknown): unknown {
  if (!isNsboxError(error)) return error
  const { transient: _, ...details } = error.details
  return new NsboxError(error.code, error.context, { cause: error.cause, details })
}

function getExchange(request: TokenRequest): Exchange {
  const { realm, service, scopes, credentials } = request
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const basic = credentials?.kind === 'basic' ? credentials : undefined
  if (basic) url.searchParams.set('account', basic.username)
  const authorization: HeaderFields = basic ? { authorization: basicAuthorization(basic) } : {}
  return { ...common(request), method: 'GET', url, headers: { ...headersOf(request), ...authorization } }
}

function refreshExchange(request: TokenRequest): Exchange {
  const { realm, service, scopes, credentials } = request
  if (credentials?.kind !== 'refresh') throw new Error('not a refresh token')
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    service: service ?? '',
    client_id: clientId,
    scope: scopes.join(' '),
    refresh_token: credentials.token,
  }).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return { ...common(request), method: 'POST', url: realm, headers: { ...headersOf(request), ...type }, body }
}

const common = ({ tls, realm, origin, signal }: TokenRequest) => ({
  namedBy: origin,
  tls: realm.origin === origin ? tls : withoutClient(tls),
  signal,
})

const headersOf = ({ userAgent }: TokenRequest): HeaderFields => ({
  accept: 'application/json',
  'user-agent': userAgent,
})

/** The value of `Authorization` for a name and a password (RFC 7617). */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function parseToken(bytes: Uint8Array, context: string): Token {
  let json: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null
  try {
    json = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    // The parser's message would quote the text, which may have a token.
    throw new NsboxError('invalid_argument', `${context}: the answer is not JSON`)
  }
  const value = json?.token || json?.access_token
  // Other characters cannot be sent in a header.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new NsboxError('invalid_argument', `${context}: the answer has no token`)
  const seconds = json?.expires_in
  const usable = typeof seconds === 'number' && seconds > 0 && seconds < 1e9
  return { value, lifetime: (usable ? seconds : defaultLifetime) * 1000 }
}
