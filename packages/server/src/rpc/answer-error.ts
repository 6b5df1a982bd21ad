import { Code, type ConnectError } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import { resetUnlessComplete } from './early-answer.ts'
import type { NodeRequest, NodeResponse } from './node-request.ts'

/** HTTP statuses for requests that are refused before a service gets them, as in Connect's protocol. */
const statuses: Readonly<Partial<Record<Code, number>>> = {
  [Code.Unimplemented]: 404,
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
}

/** Refuses a request in the form of its protocol, before a service gets it (docs/behaviour.md §13). */
export function answerError(request: NodeRequest, response: NodeResponse, error: ConnectError): void {
  const type = request.headers['content-type'] ?? ''
  const message = error.rawMessage
  if (!type.startsWith('application/grpc')) {
    response.writeHead(statuses[error.code] ?? 500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: codeToString(error.code), message }))
    return
  }
  const headers = {
    'content-type': type.startsWith('application/grpc-web')
      ? 'application/grpc-web+proto'
      : 'application/grpc',
    'grpc-status': String(error.code),
    'grpc-message': encodeURIComponent(message),
  }
  if ('stream' in response) {
    if (response.stream.destroyed || response.stream.closed) return
    // gRPC reads the status from headers only if they end the stream; `end` would send an empty frame.
    response.stream.respond({ ':status': 200, ...headers }, { endStream: true })
    resetUnlessComplete(response.stream)
  } else {
    response.writeHead(200, headers)
    response.end()
  }
}
