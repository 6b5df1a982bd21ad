import type { HandlerContext } from '@connectrpc/connect'
import { accessOf } from '../rpc/call-access.ts'
import { namespaceOf } from '../rpc/namespace-views.ts'

/**
 * Whose streams a call can use: those that the same peer has opened in the same namespace. Secrets are asked for on them.
 * @throws as `namespaceOf`
 */
export function streamOwner(context: HandlerContext): string {
  // Namespaces have no slash.
  return `${namespaceOf(context)}/${accessOf(context).peer}`
}
