import type { Timestamp } from '@nsbox/time'
import type { Mount } from '../mount-record.ts'

/** A mount that was made so that others can refer to it. */
export interface ActiveMount {
  /** The mount as it was made, without its transformations. */
  readonly mount: Mount
  /** A directory; of a loop device a symbolic link to it. */
  readonly mountPoint: string
  readonly mountedAt: Timestamp
}
