import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'

/** Prefix of labels that the snapshotter gets as well. */
const prefix = 'containerd.io/snapshot/'

/** The labels for a snapshotter (docs/behaviour.md §4). */
export function inheritedLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => isInherited(key)))
}

/** The change of the snapshotter's labels, as a merge; undefined if there is none. */
export function inheritedChange(before: Labels, after: Labels): Labels | undefined {
  const change: Record<string, string> = {}
  for (const key of Object.keys(before)) if (isInherited(key) && !Object.hasOwn(after, key)) change[key] = ''
  for (const [key, value] of Object.entries(after)) {
    if (isInherited(key) && (!Object.hasOwn(before, key) || before[key] !== value)) change[key] = value
  }
  return Object.keys(change).length === 0 ? undefined : change
}

const isInherited = (key: string) => key === labelKeys.snapshotRef || key.startsWith(prefix)
