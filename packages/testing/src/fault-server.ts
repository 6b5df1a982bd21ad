import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What is wrong with a reply. */
export type Fault =
  /** The connection ends after this many bytes of the body, although the headers announced all of it. */
  | { readonly cutAfter: number }
  /** Nothing comes after this many bytes of the body, and the connection stays open. */
  | { readonly stallAfter: number }
  /** The body comes a few bytes at a time. */
  | { readonly trickle: { readonly bytes: number; readonly everyMs: number } }
  /** The `Range` header is ignored: the whole body is sent with status 200. */
  | 'ignores ranges'
  /** The `Range` header is answered with a range that begins a byte later, as the headers say. */
  | 'wrong range'
  /** The connection is accepted, and nothing is ever answered. */
  | 'silent'
  /** The connection is reset instead of an answer. */
  | 'reset'

export interface FaultReply {
  /** 200 by default. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Empty by default; ranges of it are served unless the fault says otherwise. */
  readonly body?: string | Uint8Array
  readonly fault?: Fault
}

export interface FaultRequest {
  readonly method: string
  /** The path with its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

type Reply = FaultReply | ((request: FaultRequest) => FaultReply | Promise<FaultReply>)

/**
 * A server on a loopback port with given faults, for those that a real registry does not show. Unknown paths get status
 * 404.
 */
export interface FaultServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** All requests so far, in the order of their arrival. */
  readonly requests: readonly FaultRequest[]
  /**
   * Sets the replies to a method and a path (without its query): one for each request, the last for all later ones. One
   * may be a function, which may delay its reply.
   */
  on(method: string, path: string, ...replies: readonly [Reply, ...Reply[]]): void
}

export async function startFaultServer(): Promise<FaultServer> {
  const routes = new Map<string, Reply[]>()
  const requests: FaultRequest[] = []
  const server = createServer((incoming, response) => {
    const request = { method: incoming.method!, path: incoming.url!, headers: incoming.headers }
    requests.push(request)
    incoming.resume()
    // A client that disconnects early is no error of this server.
    response.on('error', () => {})
    const replies = routes.get(`${request.method} ${request.path.split('?')[0]}`)
    const reply = replies && (replies.length > 1 ? replies.shift()! : replies[0]!)
    const chosen = typeof reply === 'function' ? reply(request) : (reply ?? { status: 404 })
    void Promise.resolve(chosen).then((made) => answer(made, incoming, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    on: (method, path, ...replies) => void routes.set(`${method} ${path}`, [...replies]),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(reply: FaultReply, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { fault } = reply
  if (fault === 'silent') return
  if (fault === 'reset') {
    request.socket.resetAndDestroy()
    return
  }
  const { status, headers, body } = ranged(reply, request.headers.range)
  response.writeHead(status, { 'content-length': body.length, ...reply.headers, ...headers })
  if (request.method === 'HEAD' || typeof fault !== 'object') {
    response.end(body)
  } else if ('trickle' in fault) {
    const { bytes, everyMs } = fault.trickle
    for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
      response.write(body.subarray(at, at + bytes))
      await delay(everyMs)
    }
    response.end()
  } else {
    const length = 'cutAfter' in fault ? fault.cutAfter : fault.stallAfter
    response.flushHeaders()
    await new Promise((resolve) => response.write(body.subarray(0, length), resolve))
    if ('cutAfter' in fault) response.destroy()
  }
}

/** The part of a reply that a header such as `bytes=100-` or `bytes=100-199` asks for. */
function ranged(
  { status = 200, body = '', fault }: FaultReply,
  range: string | undefined,
): { status: number; headers: Record<string, string>; body: Buffer } {
  const bytes = Buffer.from(body)
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
  if (!match || status !== 200 || fault === 'ignores ranges') return { status, headers: {}, body: bytes }
  const start = Number(match[1]) + (fault === 'wrong range' ? 1 : 0)
  const end = match[2] ? Math.min(Number(match[2]) + 1, bytes.length) : bytes.length
  if (start >= end)
    return { status: 416, headers: { 'content-range': `bytes */${bytes.length}` }, body: Buffer.alloc(0) }
  return {
    status: 206,
    headers: { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
    body: bytes.subarray(start, end),
  }
}
