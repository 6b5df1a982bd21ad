import type { Digest } from '@nsbox/oci'

/** What the database may not need any more of the backend. */
export interface Unused {
  readonly blob?: Digest | undefined
  /** The backend's ref. */
  readonly ingest?: string | undefined
}
