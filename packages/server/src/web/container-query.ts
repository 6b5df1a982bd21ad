import { type Client, connect } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import { requireNamespace } from '@nsbox/namespaces'

/** A container that a request is about. */
export interface NamedContainer {
  readonly namespace: string
  readonly id: string
}

/** Reads `?namespace=…&container=…`. @throws `invalid_argument`, `failed_precondition` */
export function namedContainer(query: URLSearchParams): NamedContainer {
  return {
    namespace: requireNamespace(query.get('namespace') ?? undefined),
    id: requireParameter(query, 'container'),
  }
}

/** A parameter that a request must have. @throws `invalid_argument` */
export function requireParameter(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value !== null && value !== '') return value
  throw new NsboxError('invalid_argument', `the request lacks the parameter ${name}`)
}

/** Makes a client of the server itself, for what takes several calls. @param address of its own socket */
export function ownClient(address: string, namespace: string): Client {
  return connect({ address, namespace })
}
