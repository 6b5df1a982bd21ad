import { NsboxError } from '@nsbox/errors'
import { namedContainer, ownClient, requireParameter } from './container-query.ts'

/** Does what takes more than one call, or files of the host. */
export type PageAction = (address: string, query: URLSearchParams, signal: AbortSignal) => Promise<void>

/**
 * The actions of the page by the paths that it sends a POST to, with `?namespace=…&container=…`.
 *
 * - `/checkpoint`, `name=`: makes an image of the container and its memory; as `ContainerHandle.checkpoint`
 * - `/fork`, `prefix=`: makes one container that goes on from where this one is; as `ContainerHandle.fork`
 */
export const pageActions: ReadonlyMap<string, PageAction> = new Map<string, PageAction>([
  [
    '/checkpoint',
    async (address, query, signal) => {
      const { namespace, id } = namedContainer(query)
      const name = requireParameter(query, 'name')
      await using client = ownClient(address, namespace)
      await client.container(id).checkpoint(name, { signal })
    },
  ],
  [
    '/fork',
    async (address, query, signal) => {
      const { namespace, id } = namedContainer(query)
      const prefix = requireParameter(query, 'prefix')
      await using client = ownClient(address, namespace)
      const copies = await client.container(id).fork({ prefix, signal })
      // The copies go on.
      await Promise.all(copies.map((copy) => copy[Symbol.asyncDispose]()))
    },
  ],
])

/** @throws `permission_denied` naming the mode */
export function requireWrite(what: string, write: boolean): void {
  if (write) return
  const reason = 'the page is read-only, since the server runs without --web-write'
  throw new NsboxError('permission_denied', `${what}: ${reason}`)
}
