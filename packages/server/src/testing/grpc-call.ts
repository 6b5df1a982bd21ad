import { connect as connectHttp2, constants } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import type { Transport } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'

/** A gRPC transport over a unix socket, for tests. */
export interface SocketTransport extends Disposable {
  readonly transport: Transport
}

export function socketTransport(address: string): SocketTransport {
  const sessions = new Http2SessionManager(
    'http://localhost',
    {},
    { createConnection: () => connectSocket(address) },
  )
  const transport = createGrpcTransport({ baseUrl: 'http://localhost', sessionManager: sessions })
  return { transport, [Symbol.dispose]: () => sessions.abort() }
}

/** The result of a raw call over HTTP/2. */
export interface RawReply {
  readonly headers: Record<string, string>
  readonly trailers: Record<string, string>
  readonly body: Buffer
  readonly resetCode: number
  /** Whether the answer had only headers. */
  readonly headersOnly: boolean
}

/** Makes one call over HTTP/2 without a gRPC library. `end: false` leaves the request open. */
export async function rawCall(
  address: string,
  headers: Record<string, string | string[]>,
  { body = Buffer.alloc(0), end = true }: { body?: Buffer; end?: boolean } = {},
): Promise<RawReply> {
  const session = connectHttp2('http://localhost', {
    createConnection: () => connectSocket(address),
    maxSendHeaderBlockLength: 1 << 20,
    // Bytes that wait to be sent count.
    maxSessionMemory: 100,
  })
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request(
        { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...headers },
        { endStream: false },
      )
      const reply = { headers: {}, trailers: {}, body: [] as Buffer[], headersOnly: false }
      stream.once('response', (got, flags) => {
        Object.assign(reply.headers, got)
        reply.headersOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      })
      stream.once('trailers', (got) => Object.assign(reply.trailers, got))
      stream.on('data', (chunk: Buffer) => reply.body.push(chunk))
      stream.once('error', reject)
      stream.once('close', () => {
        resolve({ ...reply, body: Buffer.concat(reply.body), resetCode: stream.rstCode })
      })
      if (end) stream.end(body)
      else stream.write(body)
    })
  } finally {
    session.destroy()
  }
}

/** A message in a gRPC frame. */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.byteLength, 1)
  return Buffer.concat([head, message])
}
