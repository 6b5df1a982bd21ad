import type { DescService } from '@bufbuild/protobuf'
import { resetUnlessComplete } from './early-answer.ts'
import type { NodeRequest, NodeResponse } from './node-request.ts'

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
  if (!type.startsWith('application/grpc')) {
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'unimplemented', message }))
    return
  }
  const headers = {
    'content-type': type.startsWith('application/grpc-web')
      ? 'application/grpc-web+proto'
      : 'application/grpc',
    'grpc-status': unimplemented,
    'grpc-message': encodeURIComponent(message),
  }
  if ('stream' in response) {
    if (response.stream.destroyed || response.stream.closed) return
    // The status counts only in headers that end the stream themselves; `end` would send an empty frame for that.
    response.stream.respond({ ':status': 200, ...headers }, { endStream: true })
    resetUnlessComplete(response.stream)
  } else {
    response.writeHead(200, headers)
    response.end()
  }
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
