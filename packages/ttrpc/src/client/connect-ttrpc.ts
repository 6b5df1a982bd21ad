import { connect, type Socket } from 'node:net'
import type { Transport } from '@connectrpc/connect'
import { type AbortOptions, onAbort } from '@nsbox/concurrency'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { ClientStreams } from './client-streams.ts'
import { ttrpcTransport } from './ttrpc-transport.ts'

/** How to connect. */
export interface ConnectTtrpcOptions extends AbortOptions {
  /**
   * The name of the service on the wire, for a peer that offers the same messages under another name; that of the
   * called service by default.
   */
  readonly serviceName?: string | undefined
}

/** A connection to a ttrpc server. Disposing of it ends it, and every call that is under way. */
export interface TtrpcConnection extends Disposable {
  /** For clients (`createClient` of `@connectrpc/connect`), of any number at a time. */
  readonly transport: Transport
  /** Resolves when the connection has ended, on either side. */
  readonly closed: Promise<void>
  /** Whether it has ended; set before any call fails for that. */
  readonly isClosed: boolean
}

/**
 * Connects to a socket. Calls fail with `unavailable` once the connection has ended; there is no reconnection.
 *
 * @param path of a socket; one in the abstract namespace begins with a zero byte
 * @throws `not_found` if there is no socket, `unavailable` if nobody listens there, or another error of the system
 */
export async function connectTtrpc(
  path: string,
  { serviceName, signal }: ConnectTtrpcOptions = {},
): Promise<TtrpcConnection> {
  const streams = new ClientStreams(await openSocket(path, { signal }))
  return {
    transport: ttrpcTransport(streams, serviceName),
    closed: streams.closed,
    get isClosed() {
      return streams.isClosed
    },
    [Symbol.dispose]: () => streams[Symbol.dispose](),
  }
}

function openSocket(path: string, { signal }: AbortOptions): Promise<Socket> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const aborting = onAbort(signal, () => settle(() => reject(signal?.reason)))
    const onConnect = () => settle(() => resolve(socket))
    const onError = (error: Error) => settle(() => reject(notConnected(error, path)))
    const settle = (how: () => void) => {
      socket.off('connect', onConnect).off('error', onError)
      aborting[Symbol.dispose]()
      // Errors of a connection also end it, which is handled.
      socket.on('error', () => {})
      if (how !== undefined && !socket.readyState.startsWith('open')) socket.destroy()
      how()
    }
    socket.on('connect', onConnect).on('error', onError)
  })
}

function notConnected(error: Error, path: string): Error {
  const context = `socket ${JSON.stringify(path)}`
  if (!isErrno(error, 'ECONNREFUSED')) return fromSystemError(error, context) as Error
  return new NsboxError('unavailable', `${context}: nobody listens there`, { cause: error })
}
