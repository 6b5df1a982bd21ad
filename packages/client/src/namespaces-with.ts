import type { AbortOptions } from '@nsbox/core/content'
import { assertDigest } from '@nsbox/oci'
import type { ClientView } from './client.ts'
import { type AskedObject, askedObject } from './connection/asked-object.ts'

/** The most namespaces that are asked. */
const mostNamespaces = 64

/** Milliseconds after which what has been found is all. */
const patience = 2_000

/**
 * Other namespaces that have what a call did not find. At most 64 are asked, for two seconds at most; what cannot be
 * asked counts as not there, since the error stays what it is.
 *
 * @param error of a call of the client: a container, image, task, snapshot, blob or lease was not found
 * @returns none as well for other errors, and if the namespace of the client has it by now
 */
export async function namespacesWith(
  client: ClientView,
  error: unknown,
  { signal }: AbortOptions = {},
): Promise<string[]> {
  const asked = askedObject(error)
  if (asked === undefined) return []
  const limited = AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])])
  const options = { signal: limited }
  const found: string[] = []
  try {
    // Something else that the call needed may be what was not found.
    if (await hasObject(client, asked, options)) return []
    const names = (await client.namespaces.list(options)).map(({ name }) => name)
    for (const name of names.slice(0, mostNamespaces))
      if (name !== client.namespace && (await hasObject(client.withNamespace(name), asked, options)))
        found.push(name)
  } catch (failure) {
    if (!limited.aborted) return found
    if (signal?.aborted) throw failure
  }
  return found
}

/** @throws only when the signal aborts */
async function hasObject(view: ClientView, asked: AskedObject, options: AbortOptions): Promise<boolean> {
  try {
    return await lookFor(view, asked, options)
  } catch {
    options.signal?.throwIfAborted()
    return false
  }
}

/** @throws `not_found` */
async function lookFor(
  view: ClientView,
  { kind, id, snapshotter }: AskedObject,
  options: AbortOptions,
): Promise<boolean> {
  switch (kind) {
    case 'container':
      await view.containers.get(id, options)
      return true
    case 'image':
      await view.images.get(id, options)
      return true
    case 'task':
      await view.tasks.get(id, options)
      return true
    case 'snapshot':
      await view.snapshotter(snapshotter).stat(id, options)
      return true
    case 'content':
      assertDigest(id)
      await view.content.info(id, options)
      return true
    case 'lease':
      return (await view.leases.list([`id==${JSON.stringify(id)}`], options)).length > 0
  }
}
