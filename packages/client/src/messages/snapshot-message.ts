import { type Info, Kind } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import type { SnapshotInfo, SnapshotKind } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import { receivedLabels, receivedTime } from '../connection/received.ts'

/** A snapshot as a server describes it. @throws `data_loss` for an unknown kind */
export function snapshotInfo({ name, kind, parent, labels, createdAt, updatedAt }: Info): SnapshotInfo {
  return {
    name,
    kind: snapshotKind(kind, name),
    parent: parent === '' ? undefined : parent,
    labels: receivedLabels(labels),
    createdAt: receivedTime(createdAt, 'info.created_at'),
    updatedAt: receivedTime(updatedAt, 'info.updated_at'),
  }
}

function snapshotKind(kind: Kind, name: string): SnapshotKind {
  switch (kind) {
    case Kind.ACTIVE:
      return 'active'
    case Kind.VIEW:
      return 'view'
    case Kind.COMMITTED:
      return 'committed'
    default:
      throw new NsboxError('data_loss', `snapshot ${name} is of the unknown kind ${kind}`)
  }
}
