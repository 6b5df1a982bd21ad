import { setMaxListeners } from 'node:events'
import {
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
  type Interceptor,
} from '@connectrpc/connect'
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node'
import { anyRegistry, toConnectError } from '@nsbox/api'
import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { ConnectionAccess } from '../access/access-control.ts'
import { answerError } from './answer-error.ts'
import { accessKey } from './call-access.ts'
import { resetAfterEarlyAnswer } from './early-answer.ts'
import { recordMethods } from './grpc/direct-methods.ts'
import { grpcStreams, type TakeStream } from './grpc/grpc-streams.ts'
import { maxMessageBytes } from './message-limit.ts'
import type { NodeRequest, NodeResponse } from './node-request.ts'
import { sendAnswer } from './send-answer.ts'
import { answerUnknown } from './unknown-method.ts'

/** What answers requests. */
export interface RpcHandlerOptions {
  /** Registers the services. */
  readonly routes: (router: ConnectRouter) => void
  /** From the outermost to the innermost. */
  readonly interceptors: Interceptor[]
  /** Aborts the signals of all calls, with its reason. */
  readonly shutdownSignal: AbortSignal
  readonly log: Logger
}

/** What serves calls, by whichever HTTP they come. */
export interface RpcHandler {
  /** Takes streams of HTTP/2 that it need not have as requests. */
  readonly stream: TakeStream
  readonly request: (request: NodeRequest, response: NodeResponse, connection: ConnectionAccess) => void
}

/** Serves the services over gRPC, gRPC-Web and Connect. */
export function createRpcHandler({
  routes,
  interceptors,
  shutdownSignal,
  log,
}: RpcHandlerOptions): RpcHandler {
  // Every call under way listens to it.
  setMaxListeners(0, shutdownSignal)
  const router = createConnectRouter({
    interceptors,
    shutdownSignal,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    // Both ends are on one machine, and what need not be decompressed cannot be a bomb.
    acceptCompression: [],
    jsonOptions: { registry: anyRegistry },
  })
  const { router: recording, methods } = recordMethods(router, interceptors)
  routes(recording)
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]))
  const services = new Map(router.handlers.map(({ service }) => [service.typeName, service]))

  const request: RpcHandler['request'] = (request, response, connection) => {
    let access: Access
    try {
      access = connection.of(request.headers)
    } catch (error) {
      answerError(request, response, toConnectError(error))
      return
    }
    const handler = handlers.get(request.url?.split('?', 1)[0] ?? '')
    if (handler === undefined) {
      answerUnknown(request, response, services)
      return
    }
    // Clients put all kinds of text there, such as the path of the socket; it means nothing here and need not parse.
    request.headers[':authority' in request.headers ? ':authority' : 'host'] = 'localhost'
    resetAfterEarlyAnswer(response)
    const values = createContextValues().set(accessKey, access)
    handler(universalRequestFromNodeRequest(request, response, undefined, values))
      .then((answer) => sendAnswer(answer, response))
      .catch((error: unknown) => {
        log.debug({ method: handler.requestPath, err: error }, 'no answer could be sent')
        response.destroy()
      })
  }
  return { request, stream: grpcStreams({ methods, shutdownSignal, log }) }
}
