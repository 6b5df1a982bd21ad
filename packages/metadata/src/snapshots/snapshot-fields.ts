import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { type Adaptor, labelField } from '@nsbox/filters'

/** The fields of a snapshot for filters (docs/behaviour.md §2). */
export function snapshotFields(info: SnapshotInfo): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'labels') return labelField(info.labels, rest)
      if (rest.length > 0) return undefined
      return first === 'kind' || first === 'name' || first === 'parent' ? info[first] : undefined
    },
  }
}
