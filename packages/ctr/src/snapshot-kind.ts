import type { SnapshotKind } from '@nsbox/core/snapshots'

const names: Readonly<Record<SnapshotKind, string>> = {
  active: 'Active',
  view: 'View',
  committed: 'Committed',
}

/** The kind of a snapshot as tables show it. */
export function kindName(kind: SnapshotKind): string {
  return names[kind]
}
