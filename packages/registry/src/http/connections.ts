import { Readable } from 'node:stream'
import { Agent, type Dispatcher, request } from 'undici'
import type { RegistryLimits } from '../limits.ts'
import type { Exchange, Reply } from './exchange.ts'
import { networkError } from './network-error.ts'
import { redactUrl } from './redact.ts'
import { connectOptions } from './tls-settings.ts'

/** One request as logs may show it. */
export interface RequestTrace {
  readonly method: string
  /** Without secrets. */
  readonly url: string
  /** Absent if no answer came. */
  readonly status?: number | undefined
  readonly error?: string | undefined
  /** From the request to the head of its answer. */
  readonly milliseconds: number
}

/** Keep-alive connections to registries: one pool for each way of trusting and timing, HTTP/1.1. */
export class Connections implements AsyncDisposable {
  readonly #limits: RegistryLimits
  readonly #onRequest: ((trace: RequestTrace) => void) | undefined
  readonly #agents = new Map<string, Agent>()

  constructor(limits: RegistryLimits, onRequest?: (trace: RequestTrace) => void) {
    this.#limits = limits
    this.#onRequest = onRequest
  }

  /** Sends one request; follows nothing, repeats nothing. */
  async send(exchange: Exchange): Promise<Reply> {
    const { method, url, headers, signal } = exchange
    signal?.throwIfAborted()
    const started = performance.now()
    const context = `${method} ${redactUrl(url)}`
    const trace = (outcome: Pick<RequestTrace, 'status' | 'error'>) =>
      this.#onRequest?.({
        method,
        url: redactUrl(url),
        ...outcome,
        milliseconds: performance.now() - started,
      })
    try {
      const {
        statusCode,
        headers: replyHeaders,
        body,
      } = await request(url, {
        method,
        headers,
        ...(exchange.body !== undefined && { body: bodyOf(exchange.body) }),
        dispatcher: this.#agent(exchange),
        headersTimeout: this.#limits.headersTimeout,
        bodyTimeout: this.#limits.idleTimeout,
        ...(signal && { signal }),
      })
      trace({ status: statusCode })
      return { status: statusCode, headers: replyHeaders, body, url }
    } catch (error) {
      signal?.throwIfAborted()
      const mapped = networkError(error, context)
      trace({ error: mapped instanceof Error ? mapped.message : String(mapped) })
      throw mapped
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()]
    this.#agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  #agent({ tls, connectTimeout = this.#limits.connectTimeout }: Exchange): Dispatcher {
    const key = `${connectTimeout} ${tls.id}`
    let agent = this.#agents.get(key)
    if (!agent) {
      agent = new Agent({
        connections: this.#limits.connections,
        connect: { ...connectOptions(tls), timeout: connectTimeout },
      })
      this.#agents.set(key, agent)
    }
    return agent
  }
}

function bodyOf(body: NonNullable<Exchange['body']>): Readable | string {
  return typeof body === 'string' ? body : Readable.from(body(), { objectMode: false })
}
