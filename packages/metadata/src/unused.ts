import type { Digest } from '@nsbox/oci'
import type { BackingRef } from './backing-ref.ts'

/** What the database may not need any more of the backends. */
export interface Unused {
  readonly blob?: Digest | undefined
  /** The content store's ref. */
  readonly ingest?: string | undefined
  readonly snapshot?: BackingRef | undefined
}
