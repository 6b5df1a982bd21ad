import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { type Adaptor, labelField } from '@nsbox/filters'

/** The fields of a snapshot that filters know (docs/behaviour.md §2). */
export function snapshotFields({ kind, name, parent, labels }: SnapshotInfo): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'labels') return labelField(labels, rest)
      if (rest.length > 0) return undefined
      if (first === 'kind') return kind
      if (first === 'name') return name
      return first === 'parent' ? parent : undefined
    },
  }
}
