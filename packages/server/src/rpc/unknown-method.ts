import type { DescService } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { answerError } from './answer-error.ts'
import type { NodeRequest, NodeResponse } from './node-request.ts'

/**
 * Answers a call of an unknown service or method. A bare 404 would be reported by gRPC clients as a malformed header
 * instead of `unimplemented` (docs/behaviour.md §13).
 */
export function answerUnknown(
  request: NodeRequest,
  response: NodeResponse,
  services: ReadonlyMap<string, DescService>,
): void {
  answerError(request, response, new ConnectError(describe(request.url ?? '', services), Code.Unimplemented))
}

function describe(url: string, services: ReadonlyMap<string, DescService>): string {
  const [, service = '', method = ''] = (url.split('?', 1)[0] ?? '').slice(0, 512).split('/')
  const name = printable(service)
  return services.has(service)
    ? `unknown method ${printable(method)} for service ${name}`
    : `unknown service ${name}`
}

/** Replaces characters that cannot be sent in a header. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
