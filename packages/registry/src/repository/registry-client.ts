import { KeyedMutex } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { Authorizer } from '../auth/authorizer.ts'
import type { Scope } from '../auth/scope.ts'
import { hostUrl, type RegistryHost } from '../hosts/registry-host.ts'
import type { Exchange, Reply, Send } from '../http/exchange.ts'
import type { HeaderFields } from '../http/header-fields.ts'
import { followRedirects } from '../http/redirects.ts'
import { responseError } from '../http/response-error.ts'
import type { RegistryLimits } from '../limits.ts'

/** One request of the distribution protocol. */
export interface ApiRequest extends AbortOptions {
  readonly method: Exchange['method']
  /** The path below `/v2`, or the whole URL if the registry has named it. */
  readonly at: readonly string[] | URL
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly headers?: HeaderFields | undefined
  readonly body?: Exchange['body']
  readonly scopes: readonly Scope[]
  /** The operation, for sources of credentials. */
  readonly reference: string
}

/** Sends requests to hosts: headers, authorization, redirects, and errors as `NsboxError`. */
export class RegistryClient {
  readonly limits: RegistryLimits
  /** As in `ConnectionListeners`. */
  readonly onArrival: (bytes: number) => void
  /** Held while a list of referrers is changed, which takes it from the registry and gives it back. */
  readonly referrersTags = new KeyedMutex()
  readonly #send: Send
  readonly #authorizer: Authorizer
  readonly #headers: HeaderFields

  /** @param options.headers sent with every request; `authorization` only to the registry itself, not to mirrors */
  constructor(
    send: Send,
    authorizer: Authorizer,
    options: {
      readonly limits: RegistryLimits
      readonly headers: HeaderFields
      readonly onArrival?: ((bytes: number) => void) | undefined
    },
  ) {
    this.#send = send
    this.#authorizer = authorizer
    this.#headers = options.headers
    this.limits = options.limits
    this.onArrival = options.onArrival ?? (() => {})
  }

  /** The answer, if its status is among the accepted ones. Only a request that needed authorization is repeated. */
  async request(host: RegistryHost, request: ApiRequest, accepted: readonly number[]): Promise<Reply> {
    const { scopes, reference, signal } = request
    const wish = { host, scopes, reference, signal }
    const sent = await this.#authorizer.authorization(wish)
    let exchange = this.#exchange(host, request, sent)
    let reply = await this.#transmit(exchange)
    if (reply.status === 401 && reply.url.origin === host.origin) {
      const error = await responseError(exchange, reply, this.limits)
      const better = await this.#authorizer.challenged(wish, challengeHeaders(reply), sent)
      if (better === undefined) throw error
      exchange = this.#exchange(host, request, better)
      reply = await this.#transmit(exchange)
    }
    if (!accepted.includes(reply.status)) throw await responseError(exchange, reply, this.limits)
    return reply
  }

  #exchange(host: RegistryHost, request: ApiRequest, authorization: string | undefined): Exchange {
    const { method, at, query, body, signal } = request
    const { authorization: own, ...headers } = this.#headers
    return {
      method,
      url: at instanceof URL ? at : hostUrl(host, at, query),
      headers: {
        'accept-encoding': 'identity',
        ...headers,
        ...(own !== undefined && host.proxyOf === undefined && { authorization: own }),
        ...host.headers,
        ...request.headers,
        ...(authorization !== undefined && { authorization }),
      },
      body,
      tls: host.tls,
      connectTimeout: host.dialTimeout,
      signal,
    }
  }

  #transmit(exchange: Exchange): Promise<Reply> {
    const mayMove = exchange.method === 'GET' || exchange.method === 'HEAD'
    return mayMove ? followRedirects(this.#send, exchange) : this.#send(exchange)
  }
}

function challengeHeaders(reply: Reply): string[] {
  const value = reply.headers['www-authenticate'] ?? []
  return typeof value === 'string' ? [value] : [...value]
}
