import { fromTimestamp, toSafeNumber } from '@nsbox/api'
import type { Info, Status } from '@nsbox/api/gen/services/content/v1/content_pb'
import type { ContentInfo, IngestStatus } from '@nsbox/core/content'
import { parseDigest } from '@nsbox/oci'
import { receivedLabels, receivedTime } from '../connection/received.ts'

/** A blob as a server describes it. */
export function contentInfo(info: Info): ContentInfo {
  const createdAt = receivedTime(info.createdAt, 'info.created_at')
  return {
    digest: parseDigest(info.digest),
    size: toSafeNumber(info.size, 'info.size'),
    createdAt,
    // Lists of containerd 1.7 leave it out.
    updatedAt: fromTimestamp(info.updatedAt, 'info.updated_at') ?? createdAt,
    labels: receivedLabels(info.labels),
  }
}

/** An ingest as a server describes it. */
export function ingestStatus(status: Status): IngestStatus {
  return {
    ref: status.ref,
    offset: toSafeNumber(status.offset, 'status.offset'),
    total: toSafeNumber(status.total, 'status.total'),
    startedAt: receivedTime(status.startedAt, 'status.started_at'),
    updatedAt: receivedTime(status.updatedAt, 'status.updated_at'),
    ...(status.expected === '' ? {} : { expected: parseDigest(status.expected) }),
  }
}
