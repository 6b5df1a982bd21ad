import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { listenOnLoopback } from '../listen/loopback.ts'
import { sendOpened } from './opened-page.ts'
import { pageHeaders } from './page-headers.ts'
import type { PageSession, PageSessions } from './page-sessions.ts'
import { refuse, refuseUpgrade } from './refusals.ts'
import { foreignness } from './request-origin.ts'
import { cookieName, cookieValues, sessionCookie } from './session-cookie.ts'

/** What the listener's address is called in errors. */
export const pageAddress = 'the page’s address'

/** The most connections at once. One more takes the place of the oldest that no browser with a session has used. */
const maxConnections = 256

/** Milliseconds that the headers of a request may take, and a whole request. */
const headersTime = 10_000
const requestTime = 60_000

/** Limits that tests change. */
export interface WebServerLimits {
  readonly maxConnections?: number | undefined
  readonly headersTime?: number | undefined
}

/** What is served to browsers that have a session. */
export interface WebRoutes {
  /** @param url the path and the query */
  request(request: IncomingMessage, response: ServerResponse, url: URL): void
  /** Takes over the connection of a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void
}

/** The listener of the page. */
export interface WebServer {
  /** The name of the page for people, such as `127.0.0.1:8080`. */
  readonly host: string
  /** Refuses new connections and requests; resolves once all connections have closed. */
  close(): Promise<void>
  /** Closes all connections. */
  destroy(): void
}

/**
 * Listens for browsers on a loopback address such as `127.0.0.1:0`. A request gets to the routes if it comes from the
 * page itself (`request-origin.ts`) and has the cookie of a session.
 *
 * @throws as `listenOnLoopback`
 */
export async function openWebServer(
  address: string,
  { sessions, routes, log }: { sessions: PageSessions; routes: WebRoutes; log: Logger },
  limits: WebServerLimits = {},
): Promise<WebServer> {
  const server = createServer({
    maxHeaderSize: 16 << 10,
    headersTimeout: limits.headersTime ?? headersTime,
    requestTimeout: requestTime,
    connectionsCheckingInterval: Math.min(5000, limits.headersTime ?? headersTime),
    // One without is refused with the others that name no host of this server.
    requireHostHeader: false,
  })
  const sockets = new Set<Socket>()
  const strangers = new Set<Socket>()
  server.on('connection', (socket) => {
    if (sockets.size >= (limits.maxConnections ?? maxConnections)) {
      const [oldest = socket] = strangers
      oldest.destroy()
      if (oldest === socket) return
    }
    sockets.add(socket)
    strangers.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      strangers.delete(socket)
    })
    socket.on('error', (error) => log.debug({ err: error }, 'connection of the page failed'))
  })
  const { port, host, hosts } = await listenOnLoopback(server, address, pageAddress)
  const cookie = cookieName(port)

  const admit = (session: PageSession, socket: Socket) => {
    strangers.delete(socket)
    session.uses(socket)
  }
  const sessionOf = (request: IncomingMessage) => sessions.find(cookieValues(request.headers.cookie, cookie))

  server.on('request', (request, response) => {
    // Once the server is closing, a connection is of no more use when its answer has ended.
    response.once('close', () => server.listening || setImmediate(() => server.closeIdleConnections()))
    for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value)
    const { method = '', headers } = request
    const url = urlOf(request)
    const token = url?.pathname === '/' && method === 'GET' ? url.searchParams.get('token') : null
    const foreign = foreignness({ method, headers, isOpening: token !== null }, hosts)
    if (foreign !== undefined) return refuse(response, 403, foreign)
    if (url === undefined) return refuse(response, 400, 'the address of the request is malformed')
    if (token !== null) {
      const secret = sessions.redeem(token)
      if (secret === undefined) return refuse(response, 401)
      return sendOpened(response, sessionCookie(port, secret))
    }
    const session = sessionOf(request)
    if (session === undefined) return refuse(response, 401)
    admit(session, request.socket)
    routes.request(request, response, url)
  })
  server.on('upgrade', (request, socket, head) => {
    const foreign = foreignness(
      { method: request.method ?? '', headers: request.headers, isUpgrade: true },
      hosts,
    )
    if (foreign !== undefined) return refuseUpgrade(socket, 403, foreign)
    const url = urlOf(request)
    if (url === undefined) return refuseUpgrade(socket, 400, 'the address of the request is malformed')
    const session = sessionOf(request)
    if (session === undefined) return refuseUpgrade(socket, 401)
    admit(session, request.socket)
    routes.upgrade(request, socket, head, url)
  })

  return {
    host,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of strangers) socket.destroy()
      await closed
    },
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** The path and query of a request; other forms of a request's target are for proxies. */
function urlOf({ url = '' }: IncomingMessage): URL | undefined {
  return url.startsWith('/') && URL.canParse(`http://page${url}`) ? new URL(`http://page${url}`) : undefined
}
