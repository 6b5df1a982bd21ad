import type { RequestListener } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { DescService } from '@bufbuild/protobuf'

/** A request and its response, over HTTP/1.1 or HTTP/2. */
export type NodeRequest = Parameters<RequestListener>[0] | Http2ServerRequest
export type NodeResponse = Parameters<RequestListener>[1] | Http2ServerResponse

/** The code of gRPC that says that a method does not exist. */
const unimplemented = '12'

/**
 * Answers a call of something that does not exist the way its protocol wants it. A bare 404 would be reported by gRPC
 * clients as a malformed header instead of `unimplemented` (BEHAVIOUR.md §13).
 */
export function answerUnknown(
  request: NodeRequest,
  response: NodeResponse,
  services: ReadonlyMap<string, DescService>,
): void {
  const message = describe(request.url ?? '', services)
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('application/grpc')) {
    response.writeHead(200, {
      'content-type': type.startsWith('application/grpc-web')
        ? 'application/grpc-web+proto'
        : 'application/grpc',
      'grpc-status': unimplemented,
      'grpc-message': encodeURIComponent(message),
    })
    response.end()
    return
  }
  response.writeHead(404, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ code: 'unimplemented', message }))
}

function describe(url: string, services: ReadonlyMap<string, DescService>): string {
  const [, service = '', method = ''] = (url.split('?', 1)[0] ?? '').slice(0, 512).split('/')
  const name = printable(service)
  return services.has(service)
    ? `unknown method ${printable(method)} for service ${name}`
    : `unknown service ${name}`
}

/** What is not printable ASCII could not stand in a header, and lone surrogates could not be encoded. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
