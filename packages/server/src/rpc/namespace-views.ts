import type { HandlerContext } from '@connectrpc/connect'
import { firstHeaderValue, leaseHeader, namespaceHeader } from '@nsbox/api'
import type { Metadata, NamespaceView } from '@nsbox/metadata'
import { requireNamespace } from '@nsbox/namespaces'
import { headerOf } from './call-access.ts'

/** Finds the stores of a call, by its headers. */
export type ViewOf = (context: HandlerContext) => NamespaceView

/**
 * The namespace that a call names.
 * @throws `failed_precondition` if it names none, `invalid_argument` if it is malformed
 */
export function namespaceOf(context: HandlerContext): string {
  return requireNamespace(firstHeaderValue(headerOf(context, namespaceHeader)))
}

/** The lease that a call names, if any. */
export function leaseOf(context: HandlerContext): string | undefined {
  return firstHeaderValue(headerOf(context, leaseHeader))
}

/** Makes the function that finds the view of a call's namespace and lease. */
export function viewsOf(metadata: Pick<Metadata, 'namespace'>): ViewOf {
  return (context) => {
    const lease = leaseOf(context)
    return metadata.namespace(namespaceOf(context), lease === undefined ? {} : { lease })
  }
}
