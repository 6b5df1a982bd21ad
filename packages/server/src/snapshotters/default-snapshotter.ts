import type { AbortOptions } from '@nsbox/core/content'
import type { NamespaceStore } from '@nsbox/namespaces'
import { labelKeys } from '@nsbox/oci'
import { namespaceLabels } from '../namespaces/namespace-labels.ts'
import type { SnapshotterEntry } from './open-snapshotters.ts'

/**
 * The snapshotter if none is named: that of the namespace's label, else `overlayfs`, or `native` where only that works.
 */
export async function defaultSnapshotter(
  namespaces: Pick<NamespaceStore, 'get'>,
  entries: readonly Pick<SnapshotterEntry, 'name' | 'refusal'>[],
  namespace: string,
  options: AbortOptions = {},
): Promise<string> {
  const labels = await namespaceLabels(namespaces, namespace, options)
  const label = labelKeys.defaultSnapshotter
  if (Object.hasOwn(labels, label) && labels[label]) return labels[label]
  const works = (wanted: string) =>
    entries.some(({ name, refusal }) => name === wanted && refusal === undefined)
  // Layers are applied on Linux only.
  const isNative = process.platform === 'linux' && !works('overlayfs') && works('native')
  return isNative ? 'native' : 'overlayfs'
}
