import { setMaxListeners } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http2'
import {
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
  type Interceptor,
} from '@connectrpc/connect'
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node'
import { anyRegistry, maxMessageBytes, toConnectError } from '@nsbox/api'
import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { ConnectionAccess } from '../access/access-control.ts'
import { answerBytes } from './answer-bytes.ts'
import { answerError } from './answer-error.ts'
import { accessKey, headersKey } from './call-access.ts'
import type { CallBudgets } from './call-budgets.ts'
import { checkedBody } from './checked-body.ts'
import { Conduct } from './conduct.ts'
import { resetAfterEarlyAnswer } from './early-answer.ts'
import { recordMethods } from './grpc/direct-methods.ts'
import { grpcStreams, type TakeStream } from './grpc/grpc-streams.ts'
import { maxRequestBytes } from './message-limit.ts'
import type { NodeRequest, NodeResponse } from './node-request.ts'
import { RequestCall } from './request-call.ts'
import { sendAnswer } from './send-answer.ts'
import { answerUnknown } from './unknown-method.ts'

/** Options of a handler. */
export interface RpcHandlerOptions {
  /** Registers the services. */
  readonly routes: (router: ConnectRouter) => void
  /** From the outermost to the innermost. */
  readonly interceptors: Interceptor[]
  /** Aborts the signals of all calls, with its reason. */
  readonly shutdownSignal: AbortSignal
  /** Budgets for the memory of calls. */
  readonly budgets: CallBudgets
  readonly log: Logger
  /** Milliseconds that a client may take for a message; half a minute by default. */
  readonly patience?: number | undefined
  /** Accounts for wasted work of clients; a new one by default. */
  readonly conduct?: Conduct | undefined
}

/** Serves calls over HTTP/1.1 and HTTP/2. */
export interface RpcHandler {
  /** Serves HTTP/2 streams directly where possible. */
  readonly stream: TakeStream
  /** Whether a request's method has one answer; false for a method that there is not. */
  readonly hasOneAnswer: (headers: IncomingHttpHeaders) => boolean
  readonly request: (request: NodeRequest, response: NodeResponse, peer: ConnectionAccess) => void
  /** Limits wasted work; connections have to be registered with it. */
  readonly conduct: Conduct
}

type Handler = ConnectRouter['handlers'][number]

/** Bytes to reserve for an answer of unknown size. */
const minAnswerBytes = 256 << 10

/** Serves the services over gRPC, gRPC-Web and Connect. */
export function createRpcHandler({
  routes,
  interceptors,
  shutdownSignal,
  budgets,
  log,
  patience = 30_000,
  conduct = new Conduct(),
}: RpcHandlerOptions): RpcHandler {
  // Every call under way listens to it.
  setMaxListeners(0, shutdownSignal)
  const router = createConnectRouter({
    interceptors,
    shutdownSignal,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    // No compression: both ends are on one machine, and there are no decompression bombs.
    acceptCompression: [],
    binaryOptions: { readUnknownFields: false },
    jsonOptions: { registry: anyRegistry },
  })
  const { router: recording, methods } = recordMethods(router, interceptors)
  routes(recording)
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]))
  const services = new Map(router.handlers.map(({ service }) => [service.typeName, service]))

  const request: RpcHandler['request'] = (request, response, peer) => {
    let access: Access
    try {
      access = peer.of(request.headers)
    } catch (error) {
      answerError(request, response, toConnectError(error))
      return
    }
    const handler = handlers.get(request.url?.split('?', 1)[0] ?? '')
    if (handler === undefined) {
      answerUnknown(request, response, services)
      return
    }
    // Go clients send texts such as the path of the socket as host. It is not used and need not parse.
    request.headers[':authority' in request.headers ? ':authority' : 'host'] = 'localhost'
    resetAfterEarlyAnswer(response)
    answer(handler, request, response, access).catch((error: unknown) => {
      log.debug({ method: handler.requestPath, err: error }, 'no answer could be sent')
      response.destroy()
    })
  }

  async function answer(
    handler: Handler,
    request: NodeRequest,
    response: NodeResponse,
    access: Access,
  ): Promise<void> {
    const values = createContextValues().set(accessKey, access).set(headersKey, request.headers)
    const universal = universalRequestFromNodeRequest(request, response, undefined, values)
    const { method } = handler
    const connection = 'stream' in request ? (request.stream.session ?? request) : request.socket
    using call = new RequestCall({
      connection,
      budgets,
      maxRequestBytes: maxRequestBytes(method),
      conduct,
      signal: universal.signal,
      patience,
    })
    const body = checkedBody(universal.body as AsyncIterable<Uint8Array>, call, {
      contentType: request.headers['content-type'] ?? '',
      schema: method.input,
      hasOneRequest: method.methodKind === 'unary' || method.methodKind === 'server_streaming',
    })
    // The stream is reset without an error message, since the client does not read.
    const cutOff = (reason: unknown) => {
      call.abort(reason)
      response.destroy()
    }
    const bytes = Math.max(answerBytes(method), minAnswerBytes)
    const space = call.held.use(await budgets.answers.wait(connection, bytes, cutOff, call.signal))
    await sendAnswer(await handler({ ...universal, body, signal: call.signal }), response, space)
  }
  return {
    request,
    hasOneAnswer: ({ ':path': path = '' }) => handlers.get(path)?.method.methodKind === 'unary',
    stream: grpcStreams({ methods, shutdownSignal, budgets, conduct, log, patience }),
    conduct,
  }
}
