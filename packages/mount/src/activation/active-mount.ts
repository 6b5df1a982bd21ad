import type { Timestamp } from '@nsbox/time'
import type { Mount } from '../mount-record.ts'

/** A mount that was made so that others can refer to it. */
export interface ActiveMount {
  /** As it was made: without transformations, which are done. */
  readonly mount: Mount
  /** A directory; of a loop device a symbolic link to it. */
  readonly mountPoint: string
  readonly mountedAt: Timestamp
}
