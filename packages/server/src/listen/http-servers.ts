import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { isErrno, NsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import { type Authenticate, type ConnectionAccess, ownSocket } from '../access/access-control.ts'
import { windowBytes } from '../rpc/message-reader.ts'
import type { NodeRequest, NodeResponse } from '../rpc/node-request.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import { sniffProtocol } from './connection-protocol.ts'
import { rotateSession, type SessionRotation } from './session-rotation.ts'
import { SessionSockets } from './session-sockets.ts'

/** The most connections at once. */
const maxConnections = 1024

/** The most connections at once of one peer, where there are several. */
const maxPeerConnections = 128

/** How long a connection may be open without an admitted call, in milliseconds. */
const strangersTime = 30_000

/** The most bytes of the headers of one request. They are kept for as long as the call lasts. */
const maxHeaderBytes = 16 << 10

/** Limits of HTTP/2, all set explicitly so that none depends on the version of Node.js (docs/threat-model.md D17). */
const http2Options: http2.ServerOptions = {
  settings: {
    enablePush: false,
    // A Go client has one connection for all of its calls, and each container has a call that waits for its exit.
    maxConcurrentStreams: 4096,
    // At most this much of each stream waits in memory for its handler.
    initialWindowSize: windowBytes,
    maxHeaderListSize: maxHeaderBytes,
  },
  maxHeaderListPairs: 128,
  // In megabytes: what one connection may hold in all before it gets no new streams.
  maxSessionMemory: 64,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxOutstandingPings: 10,
  maxSettings: 32,
}

/** The window of a whole connection. Node.js reopens it as soon as bytes arrive; streams have their own. */
const connectionWindow = 16 << 20

/** The number of cancelled calls that a connection counts for that nghttp2 ends. */
const violation = 500

/**
 * nghttp2's error for a frame that must not be sent, `NGHTTP2_ERR_PROTO`. It ends the connection at no further cost.
 * Go's client library causes it with each connection that it closes: its last frame names its own last stream in place
 * of the server's (RFC 9113 §6.8).
 */
const forbiddenFrame = -505

/** A server of HTTP/1.1 and HTTP/2 on one socket. */
export interface HttpServers {
  /** The listening server. */
  readonly server: net.Server
  /** Refuses new connections and calls; resolves once all connections have closed. */
  close(): Promise<void>
  /** Closes the connections of peers that have lost a right they were granted. */
  endStale(): void
  /** Closes all connections. */
  destroy(): void
}

/** Options for access. */
export interface HttpServersOptions {
  /** Identifies the peers of connections. By default each has all rights, as on the server's own socket. */
  readonly authenticate?: Authenticate | undefined
  /** TLS settings; without TLS by default. */
  readonly tls?: tls.TlsOptions | undefined
}

/** A connection with the access of its peer. Both can also be read through HTTP/2's proxy of a socket. */
interface KnownSocket extends net.Socket {
  [connectionAccess]?: ConnectionAccess
  [itself]?: net.Socket
}

const connectionAccess = Symbol('access')
const itself = Symbol('socket')

/** Makes servers of HTTP/1.1 and HTTP/2 behind one listener. The first bytes of a connection tell its protocol. */
export function createHttpServers(
  handler: RpcHandler,
  log: Logger,
  { authenticate = ownSocket, tls: tlsOptions }: HttpServersOptions = {},
): HttpServers {
  const { conduct } = handler
  const accesses = new WeakMap<http2.Http2Session, ConnectionAccess>()
  const rotations = new WeakMap<http2.Http2Session, SessionRotation>()
  const onRequest = (request: NodeRequest, response: NodeResponse, access: ConnectionAccess | undefined) => {
    if (access === undefined) response.destroy()
    else handler.request(request, response, access)
  }
  const http1 = http.createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 30_000,
      requestTimeout: 300_000,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => onRequest(request, response, accessBy(request.socket)),
  )
  // Node checks time-outs only after `listening`, which this server never emits, since its connections come from the
  // other listener.
  http1.emit('listening')
  const sessionSockets = new SessionSockets()
  const h2 = http2.createServer(http2Options)
  // Turns HTTP/2 streams into requests; has no connections of its own.
  const requests = http2.createServer(http2Options, (request, response) => {
    onRequest(request, response, request.stream.session && accesses.get(request.stream.session))
  })
  h2.on('stream', (stream, headers, ...rest) => {
    // Needed for streams that fail with their session, too: an unhandled error would end the process.
    stream.on('error', (error) => log.debug({ method: headers[':path'], err: error }, 'stream failed'))
    const { session } = stream
    const access = session && accesses.get(session)
    if (session === undefined || access === undefined) {
      stream.destroy()
      return
    }
    if (rotations.get(session)?.admits(stream) === false) {
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    stream.on('close', () => {
      if (!stream.headersSent) conduct.fault(session)
    })
    if (!handler.stream(stream, headers, access)) requests.emit('stream', stream, headers, ...rest)
  })
  h2.on('session', (session) => {
    const { [connectionAccess]: access, [itself]: socket } = session.socket as KnownSocket
    if (access !== undefined) accesses.set(session, access)
    if (socket !== undefined) sessionSockets.add(session, socket)
    session.setLocalWindowSize(connectionWindow)
    rotations.set(session, rotateSession(session, handler.hasOneAnswer))
    conduct.introduce(session, session.socket, () => {
      session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)
    })
  })
  h2.on('sessionError', (error, session) => {
    // A violation of HTTP/2, not just a closed connection.
    const { errno } = error as NodeJS.ErrnoException
    if (isErrno(error, 'ERR_HTTP2_ERROR') && errno !== forbiddenFrame) conduct.fault(session, violation)
    log.debug({ err: error }, 'connection failed')
  })

  const sockets = new Set<net.Socket>()
  const crowd = new Map<string, number>()
  const keep = (socket: net.Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', (error) => log.debug({ err: error }, 'connection failed'))
  }
  const accept = (socket: KnownSocket) => {
    let access: ConnectionAccess
    try {
      access = authenticate(socket)
      if (access.source !== undefined) {
        countIn(crowd, access.source, socket)
        endUnlessUsed(socket, access)
      }
      socket[connectionAccess] = access
      socket[itself] = socket
    } catch (error) {
      log.debug({ err: error }, 'connection refused')
      socket.destroy()
      return
    }
    conduct.admit(socket, access, () => {
      sniffProtocol(socket, (protocol) => (protocol === 'http2' ? h2 : http1).emit('connection', socket))
    })
  }
  const server =
    tlsOptions === undefined
      ? net.createServer((socket) => {
          keep(socket)
          accept(socket)
        })
      : tls.createServer(tlsOptions, (socket) => {
          keep(socket)
          accept(socket)
        })
  if (tlsOptions !== undefined) {
    // A connection has no TLS socket before its handshake is complete.
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.on('tlsClientError', (error) => log.debug({ err: error }, 'no TLS connection came about'))
  }
  server.maxConnections = maxConnections

  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of sessionSockets.sessions) session.close()
      http1.close()
      await closed
    },
    endStale() {
      for (const socket of sockets) if (accessBy(socket)?.isCurrent() === false) socket.destroy()
    },
    destroy() {
      for (const session of sessionSockets.sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function accessBy(socket: KnownSocket): ConnectionAccess | undefined {
  return socket[connectionAccess]
}

/** Closes a connection without an admitted call after some time: strangers must not exhaust the connections. */
function endUnlessUsed(socket: net.Socket, access: ConnectionAccess): void {
  const timer = setTimeout(() => {
    if (!access.wasUsed) socket.destroy()
  }, strangersTime).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Counts a connection while it is open. @throws `resource_exhausted` */
function countIn(crowd: Map<string, number>, source: string, socket: net.Socket): void {
  const count = crowd.get(source) ?? 0
  if (count >= maxPeerConnections)
    throw new NsboxError('resource_exhausted', `${source} has ${count} connections`)
  crowd.set(source, count + 1)
  socket.once('close', () => {
    const left = crowd.get(source)! - 1
    if (left === 0) crowd.delete(source)
    else crowd.set(source, left)
  })
}
