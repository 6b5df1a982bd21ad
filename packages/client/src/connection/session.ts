import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import { Code, ConnectError } from '@connectrpc/connect'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { type ClientTls, type Endpoint, endpointOf } from './endpoint.ts'

/** Receive window of a stream, and of the connection, in bytes. */
const windowSize = 16 * 1024 * 1024

/**
 * Looks at a new connection before any call is made on it.
 * @throws if it must not be used
 */
export type AdmitPeer = (socket: Socket) => void

/** How to connect. */
export interface SessionOptions {
  /** Milliseconds. */
  readonly connectTimeout: number
  readonly tls?: ClientTls | undefined
  /** Sent as `authorization: Bearer`. */
  readonly token?: string | undefined
  readonly admitPeer?: AdmitPeer | undefined
}

/**
 * The HTTP/2 connection to one server, shared by all calls of a client.
 *
 * It is opened by the first call, and by the next call after it was lost or the server has sent GOAWAY; running calls
 * finish on the old connection then. It counts as open once the server's SETTINGS have arrived, so that a peer that is
 * silent or does not speak HTTP/2 fails like one that is absent. Between calls it does not keep the process alive.
 *
 * There are no HTTP/2 pings: a unix socket cannot die unnoticed, over TCP the kernel probes, and containerd ends
 * connections that ping more often than every five minutes.
 */
export class Session implements AsyncDisposable {
  readonly address: string
  /** Sent with each call. */
  readonly token: string | undefined
  readonly #endpoint: Endpoint
  readonly #connectTimeout: number
  readonly #admitPeer: AdmitPeer | undefined
  /** The calls that run on the current connection and on those that only finish their calls. */
  readonly #connections = new Map<ClientHttp2Session, Set<ClientHttp2Stream>>()
  #current: { connection: ClientHttp2Session; opened: Promise<void> } | undefined
  #closed = false

  /** @throws `invalid_argument` for an address that names no server */
  constructor(address: string, { connectTimeout, tls, token, admitPeer }: SessionOptions) {
    this.address = address
    this.token = token
    this.#admitPeer = admitPeer
    this.#endpoint = endpointOf(address, { tls, token })
    this.#connectTimeout = connectTimeout
  }

  /** The `:authority` of its calls. */
  get authority(): string {
    return this.#endpoint.authority
  }

  /** Whether it was disposed of. */
  get closed(): boolean {
    return this.#closed
  }

  /** How many calls are under way. */
  get openStreams(): number {
    return [...this.#connections.values()].reduce((sum, streams) => sum + streams.size, 0)
  }

  /**
   * Starts a call. Whoever listens for errors of its stream is told of one that ends without an answer.
   * @throws `unavailable` naming the address if it cannot connect, `failed_precondition` after the session was disposed
   * of
   */
  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: ClientSessionRequestOptions,
  ): Promise<ClientHttp2Stream> {
    const connection = await this.#connect()
    const stream = connection.request({ ...headers, ':method': method, ':path': path }, options)
    this.#count(connection, stream)
    return stream
  }

  /** Part of the interface that transports expect; only keep-alive timers need to know. */
  notifyResponseByteRead(): void {}

  /** Ends the connection and with it every call that is under way, with `canceled`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all(
      [...this.#connections].map(([connection, streams]) => {
        const closed = new Promise<void>((resolve) => connection.once('close', resolve))
        for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
        connection.destroy()
        return closed
      }),
    )
  }

  async #connect(): Promise<ClientHttp2Session> {
    if (this.#closed) throw new NsboxError('failed_precondition', `client of ${this.address} is closed`)
    let current = this.#current
    if (current === undefined || current.connection.closed || current.connection.destroyed) {
      current = this.#open()
      this.#current = current
    }
    await current.opened
    return current.connection
  }

  #open(): { connection: ClientHttp2Session; opened: Promise<void> } {
    const socket = this.#endpoint.open()
    const connection = connect(this.authority, {
      createConnection: () => socket,
      settings: { initialWindowSize: windowSize, enablePush: false },
      // In MB. Node resets new streams while more is buffered; the default of 10 is less than one window.
      maxSessionMemory: 256,
    })
    this.#connections.set(connection, new Set())
    const opened = new Promise<void>((resolve, reject) => {
      const fail = (cause: unknown) => {
        clearTimeout(timer)
        reject(this.#unreachable(cause))
      }
      const timer = setTimeout(() => {
        fail(new Error(`no answer within ${this.#connectTimeout} ms`))
        connection.destroy()
      }, this.#connectTimeout)
      connection.once('connect', () => {
        try {
          this.#admitPeer?.(socket)
        } catch (error) {
          fail(error)
          connection.destroy()
        }
      })
      connection.once('remoteSettings', () => {
        clearTimeout(timer)
        connection.setLocalWindowSize(windowSize)
        connection.unref()
        resolve()
      })
      // Never removed: a connection that breaks later emits its error here as well as on its streams.
      connection.on('error', fail)
      connection.once('close', () => {
        this.#connections.delete(connection)
        fail(new Error('closed by the server before the first answer'))
      })
    })
    return { connection, opened }
  }

  #unreachable(cause: unknown): NsboxError {
    // The connection was not admitted.
    if (isNsboxError(cause)) return cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    const errno = (cause as NodeJS.ErrnoException).code
    return new NsboxError('unavailable', `connecting to ${this.address}: ${reason}`, {
      cause,
      details: { address: this.address, ...(errno === undefined ? {} : { errno }) },
    })
  }

  /** Counts a call until its end; the connection keeps the process alive while it has any. */
  #count(connection: ClientHttp2Session, stream: ClientHttp2Stream): void {
    const streams = this.#connections.get(connection)
    streams?.add(stream)
    if (streams?.size === 1) connection.ref()
    let answered = false
    stream.once('response', () => {
      answered = true
    })
    stream.once('close', () => {
      streams?.delete(stream)
      if (streams?.size === 0) connection.unref()
      // From Node 24 on, a stream ends so when the server closes the connection after a GOAWAY without an error. Who
      // waits for the answer would wait for ever.
      if (answered || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return
      if (stream.listenerCount('error') > 0)
        stream.emit('error', new ConnectError('closed without an answer', Code.Unavailable))
    })
  }
}
