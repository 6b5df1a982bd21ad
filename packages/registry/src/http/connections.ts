import { Readable } from 'node:stream'
import { NsboxError } from '@nsbox/errors'
import type { Dispatcher } from 'undici'
import type { RegistryLimits } from '../limits.ts'
import type { Admit } from './checked-lookup.ts'
import type { OpenDispatcher } from './dispatcher.ts'
import { type Dump, dumping } from './dump-exchange.ts'
import type { Exchange, Reply } from './exchange.ts'
import { HostPlaces } from './host-places.ts'
import { isLoopback } from './loopback.ts'
import { networkError } from './network-error.ts'
import { redactUrl } from './redact.ts'
import { SentSecrets } from './sent-secrets.ts'
import { readSystemAuthorities } from './system-authorities.ts'
import { connectOptions } from './tls-settings.ts'

/**
 * Bytes of a body that may wait for the reader. It gets them as one piece, so that there are fewer to write to a file.
 * They are lost when the connection breaks, and fetched again.
 */
const readAhead = 512 * 1024

/** One request, for logs. */
export interface RequestTrace {
  readonly method: string
  /** Without secrets. */
  readonly url: string
  /** Absent if there was no answer. */
  readonly status?: number | undefined
  readonly error?: string | undefined
  /** From the request to the head of its answer. */
  readonly milliseconds: number
}

/** Whom to tell what goes over connections. */
export interface ConnectionListeners {
  /** Called for every request once its answer begins or fails; must not throw. */
  readonly onRequest?: ((trace: RequestTrace) => void) | undefined
  /**
   * Called with the lines of each request and answer: the head, and the body if it is text or JSON of at most 64 KiB.
   * Secrets are masked; control characters are not. Must not throw.
   */
  readonly onDump?: Dump | undefined
  /**
   * Called with the number of bytes of each piece of a blob or manifest that arrives, also of one that arrives again
   * after a broken connection; must not throw.
   */
  readonly onArrival?: ((bytes: number) => void) | undefined
}

/**
 * Keep-alive connections to registries, HTTP/1.1: one pool for each way of trusting and timing. The usual environment
 * variables (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) name proxies, of which none is used for this machine itself.
 */
export class Connections implements AsyncDisposable {
  readonly #limits: RegistryLimits
  readonly #listeners: ConnectionListeners
  #closed = false
  readonly #agents = new Map<string, Dispatcher>()
  readonly #places: HostPlaces
  /** Read once they are needed. */
  #authorities: Promise<readonly string[]> | undefined
  /** Secrets that were sent over these connections. */
  readonly secrets = new SentSecrets()

  constructor(
    limits: RegistryLimits,
    listeners: ConnectionListeners = {},
    places: HostPlaces = new HostPlaces(),
  ) {
    this.#limits = limits
    this.#listeners = listeners
    this.#places = places
  }

  /** Sends one request, without following redirects or retrying. */
  async send(exchange: Exchange): Promise<Reply> {
    const { method, url, headers, signal } = exchange
    const { headersTimeout, uploadTimeout, idleTimeout } = this.#limits
    // Not read for what is not verified.
    const isVerified = url.protocol === 'https:' && !exchange.tls.skipVerify
    const [http, authorities] = await Promise.all([
      // undici, which only who sends something needs, takes a tenth of a server's start.
      import('./dispatcher.ts'),
      isVerified ? this.#systemAuthorities() : [],
    ])
    signal?.throwIfAborted()
    if (this.#closed) throw new NsboxError('failed_precondition', 'the registry client is closed')
    const started = performance.now()
    this.secrets.note(exchange)
    const { secrets } = this
    const address = exchange.namedBy === undefined ? redactUrl(url) : redactUrl(url, secrets)
    const trace = (outcome: Pick<RequestTrace, 'status' | 'error'>) =>
      this.#listeners.onRequest?.({
        method,
        url: address,
        ...outcome,
        milliseconds: performance.now() - started,
      })
    let unreadable: { error: unknown } | undefined
    const body = bodyOf(exchange.body, (error) => {
      unreadable = { error }
    })
    try {
      const reply = await http.request(url, {
        method,
        headers,
        ...(body !== undefined && { body }),
        dispatcher: this.#dispatcher(exchange, authorities, http.openDispatcher),
        headersTimeout: typeof exchange.body === 'function' ? uploadTimeout : headersTimeout,
        bodyTimeout: idleTimeout,
        highWaterMark: readAhead,
        ...(signal && { signal }),
      })
      trace({ status: reply.statusCode })
      return { status: reply.statusCode, headers: reply.headers, body: reply.body, url, address, secrets }
    } catch (error) {
      signal?.throwIfAborted()
      const mapped = unreadable ? unreadable.error : networkError(error, `${method} ${address}`, secrets)
      trace({ error: mapped instanceof Error ? mapped.message : String(mapped) })
      throw mapped
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const agents = [...this.#agents.values()]
    this.#agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  #dispatcher(exchange: Exchange, authorities: readonly string[], open: OpenDispatcher): Dispatcher {
    const agent = this.#agent(exchange, authorities, open)
    const { onDump } = this.#listeners
    return onDump === undefined ? agent : agent.compose(dumping(onDump, this.secrets))
  }

  #systemAuthorities(): Promise<readonly string[]> {
    this.#authorities ??= readSystemAuthorities()
    return this.#authorities
  }

  #agent(
    { url, namedBy, tls, connectTimeout = this.#limits.connectTimeout }: Exchange,
    authorities: readonly string[],
    open: OpenDispatcher,
  ): Dispatcher {
    const direct = isLoopback(url.hostname)
    // A host that a server has named gets connections of its own, never those for hosts that the user has named.
    const sender = namedBy === undefined ? undefined : hostOf(new URL(namedBy))
    const namedByOther = sender === hostOf(url) ? undefined : sender
    const key = `${url.protocol} ${direct} ${connectTimeout} ${tls.id} ${namedByOther}`
    let agent = this.#agents.get(key)
    if (!agent) {
      const { connections } = this.#limits
      const admit: Admit = (host, addresses) => this.#places.admit(host, namedByOther, addresses)
      const options = { ...connectOptions(tls, authorities), timeout: connectTimeout }
      agent = open({ direct, connections, options, admit })
      this.#agents.set(key, agent)
    }
    return agent
  }
}

/** The host of a connection. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1')

/** @param onError called with the error if the content cannot be read, which is no network error */
function bodyOf(body: Exchange['body'], onError: (error: unknown) => void): Readable | string | undefined {
  return typeof body === 'function' ? Readable.from(watched(body(), onError), { objectMode: false }) : body
}

async function* watched(
  source: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      // Only errors of the source itself get here: those of undici are thrown at the yield.
      const next = await iterator.next().catch((error) => {
        onError(error)
        throw error
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}
