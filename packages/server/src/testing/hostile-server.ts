import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import type { Message } from '@bufbuild/protobuf'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { type ServedRoutes, serveRoutes } from './serve-routes.ts'

/** A connection of a client that keeps no rules. */
export interface HostileConnection {
  readonly session: ClientHttp2Session
  /** Begins a call. @param to the path of its method */
  open(to: string, headers?: Readonly<Record<string, string>>): ClientHttp2Stream
}

/** A server for hostile clients: it takes updates and writes, echoes streams and answers reads with 25 MiB. */
export interface HostileServer {
  served(): ServedRoutes
  /** The complete messages that it received. */
  received(): readonly Message[]
  /** How many reads it has begun to answer. */
  asked(): number
  /** Starts a new server. @param options.patience milliseconds that a message may take */
  serve(options?: { patience?: number }): Promise<void>
  connect(): HostileConnection
}

/** Gives each test of a block a server of its own. */
export function useHostileServer(): HostileServer {
  let resources: AsyncDisposableStack
  let served: ServedRoutes
  let received: Message[]
  let asked: number

  const serve = async (options: { patience?: number } = {}) => {
    await resources?.disposeAsync()
    resources = new AsyncDisposableStack()
    received = []
    asked = 0
    served = resources.use(
      await serveRoutes((router) => {
        versionRoutes(router)
        router.service(Content, {
          update(request) {
            received.push(request)
            return {}
          },
          async *write(requests) {
            for await (const request of requests) {
              received.push(request)
              yield {}
            }
          },
          async *read(_, { signal }) {
            asked++
            for (let pieces = 0; pieces < 100 && !signal.aborted; pieces++)
              yield { data: new Uint8Array(256 << 10) }
          },
        })
        router.service(Streaming, {
          async *stream(requests) {
            for await (const request of requests) yield request
          },
        })
      }, options),
    )
  }
  beforeEach(() => serve())
  afterEach(() => resources.disposeAsync())

  return {
    served: () => served,
    received: () => received,
    asked: () => asked,
    serve,
    connect() {
      const session = connectHttp2('http://localhost', {
        createConnection: () => connectSocket(served.address),
        maxSessionMemory: 2000,
      })
      session.on('error', () => {})
      resources.defer(() => session.destroy())
      const open: HostileConnection['open'] = (to, headers = {}) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': to,
          'content-type': 'application/grpc',
          ...headers,
        })
        stream.on('error', () => {})
        return stream
      }
      return { session, open }
    },
  }
}

/** The status of a call at its end. */
export function status(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let found = 'none'
    const onHeaders = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) found = String(headers['grpc-status'])
    }
    stream.on('response', onHeaders)
    stream.on('trailers', onHeaders)
    stream.on('close', () => resolve(found))
    stream.resume()
  })
}

/** The path of a method. */
export const pathOf = (service: { typeName: string }, method: string): string =>
  `/${service.typeName}/${method}`

/** The beginning of a gRPC message. */
export function head(length: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

export const mebibytes = (count: number): number => count * (1 << 20)
