import type { HandlerContext } from '@connectrpc/connect'
import { accessOf } from '../rpc/call-access.ts'
import { namespaceOf } from '../rpc/namespace-views.ts'

/**
 * The owner of a call's streams: the same peer and namespace. Secrets are sent over streams, so others must not use
 * them.
 * @throws as `namespaceOf`
 */
export function streamOwner(context: HandlerContext): string {
  // Namespaces have no slash.
  return `${namespaceOf(context)}/${accessOf(context).peer}`
}
