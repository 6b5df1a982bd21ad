import type { Digest } from '@nsbox/oci'
import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'

/** Size, times and labels of a blob. */
export interface ContentInfo {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly createdAt: Timestamp
  /** When the blob or its labels last changed; never before `createdAt`. */
  readonly updatedAt: Timestamp
  readonly labels: Labels
}
