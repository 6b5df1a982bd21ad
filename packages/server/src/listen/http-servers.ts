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
import { rotateSession } from './session-rotation.ts'

/** The most connections at once. */
const maxConnections = 1024

/** The most connections at once of one peer, where there are several. */
const maxPeerConnections = 128

/** How long whoever may do nothing can stay connected, in milliseconds. */
const strangersTime = 30_000

/** The most bytes of the headers of one request. They are kept for as long as the call lasts. */
const maxHeaderBytes = 16 << 10

/** Limits of HTTP/2, all said here so that none depends on the version of Node.js (HOSTILE D17). */
const http2Options: http2.ServerOptions = {
  settings: {
    enablePush: false,
    // One connection of a Go client carries all of its calls, and every container has one that waits for its exit.
    maxConcurrentStreams: 4096,
    // Of each stream, at most this much waits in memory for the handler to read it.
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

/** The window of a whole connection. Node.js opens it again as soon as bytes arrive; streams have their own. */
const connectionWindow = 16 << 20

/** How many calls in vain a violation of HTTP/2 is worth. */
const violation = 500

/** Serves requests on one socket over whichever HTTP a client speaks. */
export interface HttpServers {
  /** Listens; give it an address. */
  readonly server: net.Server
  /** Takes no more connections and no more calls; resolves once all connections have closed. */
  close(): Promise<void>
  /** Cuts off the connections of peers that were granted what they may not do any more. */
  endStale(): void
  /** Cuts off all connections. */
  destroy(): void
}

/** Who may make calls. */
export interface HttpServersOptions {
  /** Finds out who has connected; on the server's own socket, which is the default, one who may do everything. */
  readonly authenticate?: Authenticate | undefined
  /** Speaks TLS with everybody; not by default. */
  readonly tls?: tls.TlsOptions | undefined
}

/** A connection with what its peer may do. HTTP/2 shows its own view of a socket, through which this can be read. */
interface KnownSocket extends net.Socket {
  [connectionAccess]?: ConnectionAccess
}

const connectionAccess = Symbol('access')

/**
 * Makes servers of HTTP/1.1 and HTTP/2 without TLS behind one listener. A connection is told apart by its first bytes.
 */
export function createHttpServers(
  handler: RpcHandler,
  log: Logger,
  { authenticate = ownSocket, tls: tlsOptions }: HttpServersOptions = {},
): HttpServers {
  const { conduct } = handler
  const accesses = new WeakMap<http2.Http2Session, ConnectionAccess>()
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
  // It gets its connections from elsewhere, and starts to look at their time-outs only when it is told that it listens.
  http1.emit('listening')
  const sessions = new Set<http2.ServerHttp2Session>()
  const h2 = http2.createServer(http2Options)
  // Makes requests of streams, and has no connections of its own.
  const requests = http2.createServer(http2Options, (request, response) => {
    onRequest(request, response, request.stream.session && accesses.get(request.stream.session))
  })
  h2.on('stream', (stream, headers, ...rest) => {
    // Also one that has failed already, with its session: nobody takes it, and its error must not end the process.
    stream.on('error', (error) => log.debug({ err: error }, 'stream failed'))
    const { session } = stream
    const access = session && accesses.get(session)
    if (session === undefined || access === undefined) {
      stream.destroy()
      return
    }
    stream.once('close', () => {
      if (!stream.headersSent) conduct.fault(session)
    })
    if (!handler.stream(stream, headers, access)) requests.emit('stream', stream, headers, ...rest)
  })
  h2.on('session', (session) => {
    sessions.add(session)
    const access = accessBy(session.socket)
    if (access !== undefined) accesses.set(session, access)
    session.once('close', () => sessions.delete(session))
    session.setLocalWindowSize(connectionWindow)
    rotateSession(session)
    conduct.introduce(session, session.socket, () => {
      session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)
    })
  })
  h2.on('sessionError', (error, session) => {
    // Not of the kind that the other side's end is: what HTTP/2 does not allow.
    if (isErrno(error, 'ERR_HTTP2_ERROR')) conduct.fault(session, violation)
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
    // Until its handshake is over, a connection has no socket of TLS.
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
      for (const session of sessions) session.close()
      http1.close()
      await closed
    },
    endStale() {
      for (const socket of sockets) if (accessBy(socket)?.isCurrent() === false) socket.destroy()
    },
    destroy() {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function accessBy(socket: KnownSocket): ConnectionAccess | undefined {
  return socket[connectionAccess]
}

/** Cuts off a connection on which nobody has been let in within a time: strangers must not fill the server. */
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
