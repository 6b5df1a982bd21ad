import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import { isErrno } from '@nsbox/errors'
import type { Logger } from 'pino'
import { windowBytes } from '../rpc/message-reader.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import { sniffProtocol } from './connection-protocol.ts'
import { rotateSession } from './session-rotation.ts'

/** The most connections at once. */
const maxConnections = 1024

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
  /** Cuts off all connections. */
  destroy(): void
}

/**
 * Makes servers of HTTP/1.1 and HTTP/2 without TLS behind one listener. A connection is told apart by its first bytes.
 */
export function createHttpServers(handler: RpcHandler, log: Logger): HttpServers {
  const { conduct } = handler
  const http1 = http.createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 30_000,
      requestTimeout: 300_000,
      connectionsCheckingInterval: 5000,
    },
    handler.request,
  )
  // It gets its connections from elsewhere, and starts to look at their time-outs only when it is told that it listens.
  http1.emit('listening')
  const sessions = new Set<http2.ServerHttp2Session>()
  const h2 = http2.createServer(http2Options)
  // Makes requests of streams, and has no connections of its own.
  const requests = http2.createServer(http2Options, handler.request)
  h2.on('stream', (stream, headers, ...rest) => {
    const { session } = stream
    stream.once('close', () => {
      if (!stream.headersSent && session !== undefined) conduct.fault(session)
    })
    if (!handler.stream(stream, headers)) requests.emit('stream', stream, headers, ...rest)
  })
  h2.on('session', (session) => {
    sessions.add(session)
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
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', (error) => log.debug({ err: error }, 'connection failed'))
    conduct.admit(socket, () => {
      sniffProtocol(socket, (protocol) => (protocol === 'http2' ? h2 : http1).emit('connection', socket))
    })
  })
  server.maxConnections = maxConnections

  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of sessions) session.close()
      http1.close()
      await closed
    },
    destroy() {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
