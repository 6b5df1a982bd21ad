import { abortable, SingleFlight } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { CredentialSource, Credentials } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import type { RegistryHost } from '../hosts/registry-host.ts'
import type { Send } from '../http/exchange.ts'
import type { Hiding } from '../http/redact.ts'
import type { RegistryLimits } from '../limits.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { mergeScopes, type Scope } from './scope.ts'
import { basicAuthorization, checkRealm, fetchToken } from './token.ts'

/** The parts of a request that decide on its credentials. */
export interface AuthorizationRequest extends AbortOptions {
  readonly host: RegistryHost
  readonly scopes: readonly Scope[]
  readonly reference: string
}

/** The authentication that an origin has asked for. */
type Access =
  | { readonly kind: 'fixed'; readonly authorization: string }
  | { readonly kind: 'bearer'; readonly challenge: Challenge; readonly tokens: Map<string, UsableToken> }

interface UsableToken {
  readonly authorization: string
  /** On the clock of `performance.now`. */
  readonly renewAt: number
}

/** Most tokens kept for one origin; the oldest is dropped first. */
const maxTokens = 256

/** Chooses the `Authorization` of each request. Each origin has its own credentials and tokens. */
export class Authorizer {
  readonly #send: Send
  readonly #credentials: CredentialSource | undefined
  readonly #limits: RegistryLimits
  readonly #userAgent: string
  readonly #secrets: Hiding
  readonly #access = new Map<string, Access>()
  readonly #flights = new SingleFlight<string | undefined>()

  constructor(
    send: Send,
    options: {
      credentials: CredentialSource | undefined
      limits: RegistryLimits
      userAgent: string
      secrets: Hiding
    },
  ) {
    this.#send = send
    this.#credentials = options.credentials
    this.#limits = options.limits
    this.#userAgent = options.userAgent
    this.#secrets = options.secrets
  }

  /** The value to send. Gets a new token if the known one is about to expire. */
  async authorization(request: AuthorizationRequest): Promise<string | undefined> {
    const access = this.#access.get(request.host.origin)
    if (access?.kind !== 'bearer') return access?.authorization
    const token = access.tokens.get(keyOf(request))
    if (token && performance.now() < token.renewAt) return token.authorization
    return this.#flight(request, [], (signal) => this.#token(request, access.challenge, [], signal))
  }

  /**
   * The value to send after a 401, or undefined if there is none other than the refused one.
   *
   * @param values of the `WWW-Authenticate` headers
   * @param sent what the refused request had
   */
  async challenged(
    request: AuthorizationRequest,
    values: readonly string[],
    sent: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(values)
    const answer = await this.#flight(request, values, (signal) =>
      this.#answer(request, challenges, values, sent, signal),
    )
    return answer === sent ? undefined : answer
  }

  async #answer(
    request: AuthorizationRequest,
    challenges: readonly Challenge[],
    values: readonly string[],
    sent: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { origin } = request.host
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer) {
      const access = this.#access.get(origin)
      const known = access?.kind === 'bearer' ? access.tokens.get(keyOf(request))?.authorization : undefined
      // Another request may have renewed the token meanwhile.
      if (known !== undefined && known !== sent) return known
      return this.#token(request, bearer, values, signal)
    }
    const credentials = await this.#credentials?.(
      { host: request.host.credentialHost, reference: request.reference, challenges: values },
      { signal },
    )
    const basic = challenges.some(({ scheme }) => scheme === 'basic')
    const authorization =
      credentials?.kind === 'header'
        ? credentials.authorization
        : credentials?.kind === 'basic' && basic
          ? basicAuthorization(credentials)
          : undefined
    if (authorization !== undefined) this.#access.set(origin, { kind: 'fixed', authorization })
    return authorization
  }

  async #token(
    request: AuthorizationRequest,
    challenge: Challenge,
    values: readonly string[],
    signal: AbortSignal,
  ): Promise<string> {
    const { host, reference, scopes } = request
    const realm = checkRealm(challenge.parameters.get('realm'), new URL(host.origin), this.#secrets)
    const credentials: Credentials | undefined = await this.#credentials?.(
      { host: host.credentialHost, reference, challenges: values },
      { signal },
    )
    if (credentials?.kind === 'header') {
      this.#access.set(host.origin, { kind: 'fixed', authorization: credentials.authorization })
      return credentials.authorization
    }
    const demanded = (challenge.parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
    const started = performance.now()
    const { value, lifetime } = await fetchToken(
      this.#send,
      {
        realm,
        service: challenge.parameters.get('service'),
        scopes: mergeScopes([...scopes, ...(values.length === 0 ? [] : demanded)]),
        credentials,
        tls: host.tls,
        origin: host.origin,
        userAgent: this.#userAgent,
        signal,
      },
      this.#limits,
    )
    const authorization = `Bearer ${value}`
    // Renewed a little early, so that a token does not expire on its way.
    const renewAt = started + lifetime - Math.min(10_000, lifetime / 4)
    this.#keep(host.origin, challenge, keyOf(request), { authorization, renewAt })
    return authorization
  }

  #keep(origin: string, challenge: Challenge, key: string, token: UsableToken): void {
    const before = this.#access.get(origin)
    const tokens = before?.kind === 'bearer' ? before.tokens : new Map<string, UsableToken>()
    tokens.delete(key)
    tokens.set(key, token)
    if (tokens.size > maxTokens) tokens.delete(tokens.keys().next().value!)
    this.#access.set(origin, { kind: 'bearer', challenge, tokens })
  }

  #flight(
    request: AuthorizationRequest,
    values: readonly string[],
    work: (signal: AbortSignal) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const { host, signal } = request
    const key = JSON.stringify([host.origin, keyOf(request), values])
    return this.#flights.run(key, (signal) => this.#inTime(host, work, signal), { signal })
  }

  /** Bounds the time for credentials and token together, even if a source of credentials ignores its signal. */
  async #inTime<T>(
    host: RegistryHost,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { tokenTimeout } = this.#limits
    const deadline = AbortSignal.timeout(tokenTimeout)
    try {
      return await abortable(work(AbortSignal.any([signal, deadline])), { signal: deadline })
    } catch (error) {
      if (error !== deadline.reason) throw error
      throw new NsboxError(
        'unavailable',
        `authorization for ${host.origin}: not there after ${tokenTimeout} ms`,
      )
    }
  }
}

const keyOf = ({ scopes }: AuthorizationRequest) => mergeScopes(scopes).join(' ')
