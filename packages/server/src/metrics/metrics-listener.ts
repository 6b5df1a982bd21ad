import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { bindSocket } from '../listen/bind-socket.ts'
import { listenOnLoopback, parseLoopbackAddress } from '../listen/loopback.ts'
import type { TcpAddress } from '../listen/tcp-address.ts'
import type { Exposition } from './exposition.ts'

/** The most connections at once. */
const maxConnections = 16

/** Milliseconds that a client may take for a request. */
const patience = 5000

/** Milliseconds after which a connection ends that nothing moves on. */
const slowness = 30_000

/** Where Prometheus looks, and where containerd has its metrics. */
const paths: ReadonlySet<string | undefined> = new Set(['/metrics', '/v1/metrics'])

/** The address, in errors. */
const what = 'metrics address, if not unix:///path,'

/** A listener for metrics. Disposing of it closes its connections. */
export interface MetricsListener extends AsyncDisposable {
  /** Where it serves: `http://127.0.0.1:1338/metrics` or `unix:///…`. */
  readonly address: string
}

/**
 * Serves metrics over HTTP/1.1 on a loopback address or on a socket of mode 0600. Over TCP the request has to name the
 * listener as its host, so that no page in a browser reads it by a name of its own (docs/threat-model.md D24).
 *
 * @param address `127.0.0.1:1338`, `localhost:1338`, `[::1]:1338`, `unix:///run/nsbox/metrics.sock`
 * @throws `invalid_argument` for an address that is not of this host alone; the errors of binding
 */
export async function openMetricsListener(
  address: string,
  expose: () => Promise<Exposition>,
  log: Logger,
): Promise<MetricsListener> {
  let hosts: ReadonlySet<string | undefined> | undefined
  const server = createServer({ requestTimeout: patience, headersTimeout: patience }, (request, response) => {
    answer(request, response, hosts, expose).catch((err: unknown) => {
      log.warn({ err }, 'metrics')
      if (response.headersSent) response.destroy()
      else refuse(response, 500, 'the metrics cannot be read; the log of the server says why')
    })
  })
  server.maxConnections = maxConnections
  server.timeout = slowness
  const place = parseMetricsAddress(address)
  let shown = address
  if ('path' in place) await bindSocket(server, place.path)
  else {
    const bound = await listenOnLoopback(server, address, what)
    hosts = bound.hosts
    shown = `http://${bound.host}/metrics`
  }
  return {
    address: shown,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * Reads an address for metrics: that of a socket, or a loopback address with a port.
 * @throws `invalid_argument`
 */
export function parseMetricsAddress(address: string): TcpAddress | { readonly path: string } {
  const path = /^unix:\/\/(\/.+)$/.exec(address)?.[1]
  return path === undefined ? parseLoopbackAddress(address, what) : { path }
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  hosts: ReadonlySet<string | undefined> | undefined,
  expose: () => Promise<Exposition>,
): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff')
  if (hosts !== undefined && !hosts.has(headers.host)) return refuse(response, 421, 'this is another host')
  if (!paths.has(url?.split('?', 1)[0])) return refuse(response, 404, 'metrics are at /metrics')
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return refuse(response, 405, 'metrics can only be read')
  }
  const { contentType, body } = await expose()
  response.setHeader('content-type', contentType)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(method === 'HEAD' ? undefined : body)
}

/** A body that the client sends is not read, so the connection ends. */
function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${why}\n`)
}
