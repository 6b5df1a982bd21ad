import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectSocket } from 'node:net'

/** A message in the frame of gRPC. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  return frame
}

/** A field of a message that is a text, of less than 128 bytes. */
export function text(field: number, value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of((field << 3) | 2, bytes.length), bytes])
}

/** A connection of HTTP/2 whose owner does as it likes, and that is made anew when the server has ended it. */
export class RawClient {
  readonly #address: string
  #session: ClientHttp2Session | undefined

  constructor(address: string) {
    this.#address = address
  }

  get session(): ClientHttp2Session {
    const old = this.#session
    if (old !== undefined && !old.closed && !old.destroyed) return old
    const session = connect('http://localhost', {
      createConnection: () => connectSocket(this.#address),
      maxSessionMemory: 4000,
      settings: { initialWindowSize: 65_535 },
    })
    session.on('error', () => {})
    // As stock clients do, calls that are under way go on.
    session.once('goaway', () => {
      if (this.#session === session) this.#session = undefined
      session.close()
    })
    this.#session = session
    return session
  }

  /** Opens a call of a method such as `version.v1.Version/Version`. */
  open(method: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': `/containerd.services.${method}`,
      'content-type': 'application/grpc',
      'containerd-namespace': 'bench',
      te: 'trailers',
      ...headers,
    })
    stream.on('error', () => {})
    return stream
  }

  /** Resolves once the server has seen all that was sent, or has ended the connection. */
  answered(): Promise<void> {
    const { session } = this
    return new Promise((resolve) => {
      const settle = () => {
        session.off('close', settle)
        resolve()
      }
      session.once('close', settle)
      session.ping(settle)
    })
  }

  /** Makes a call; resolves once it has ended, with its status if it has one. */
  call(method: string, message: Buffer): Promise<string | undefined> {
    return new Promise((resolve) => {
      const stream = this.open(method)
      let status: string | undefined
      const onHeaders = (headers: Record<string, unknown>) => {
        status = (headers['grpc-status'] as string | undefined) ?? status
      }
      stream.on('response', onHeaders)
      stream.on('trailers', onHeaders)
      stream.on('close', () => resolve(status))
      stream.resume()
      stream.end(message)
    })
  }
}
