import type { AbortOptions } from '@nsbox/core/content'
import type { NamespaceStore } from '@nsbox/namespaces'
import { labelKeys } from '@nsbox/oci'
import { namespaceLabels } from '../namespaces/namespace-labels.ts'

/** The snapshotter if none is named: that of the namespace's label, else `overlayfs`. */
export async function defaultSnapshotter(
  namespaces: Pick<NamespaceStore, 'get'>,
  namespace: string,
  options: AbortOptions = {},
): Promise<string> {
  const labels = await namespaceLabels(namespaces, namespace, options)
  const label = labelKeys.defaultSnapshotter
  return (Object.hasOwn(labels, label) && labels[label]) || 'overlayfs'
}
