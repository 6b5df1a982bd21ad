import type { AbortOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { NamespaceStore } from '@nsbox/namespaces'

/** The labels of a namespace; one that does not exist has none (docs/behaviour.md §1). */
export async function namespaceLabels(
  namespaces: Pick<NamespaceStore, 'get'>,
  name: string,
  options: AbortOptions = {},
): Promise<Labels> {
  return (await undefinedIf(isNotFound, namespaces.get(name, options)))?.labels ?? {}
}
