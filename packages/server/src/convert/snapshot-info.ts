import type { MessageInitShape } from '@bufbuild/protobuf'
import { toTimestamp } from '@nsbox/api'
import { type InfoSchema, Kind } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import type { SnapshotInfo, SnapshotKind } from '@nsbox/core/snapshots'

const kinds: Readonly<Record<SnapshotKind, Kind>> = {
  view: Kind.VIEW,
  active: Kind.ACTIVE,
  committed: Kind.COMMITTED,
}

/** The message of a snapshot. */
export function toSnapshotInfoMessage(info: SnapshotInfo): MessageInitShape<typeof InfoSchema> {
  return {
    name: info.name,
    parent: info.parent ?? '',
    kind: kinds[info.kind],
    createdAt: toTimestamp(info.createdAt),
    updatedAt: toTimestamp(info.updatedAt),
    labels: { ...info.labels },
  }
}
