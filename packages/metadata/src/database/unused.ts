import type { Digest } from '@nsbox/oci'

/** A snapshot as its snapshotter knows it. */
export interface BackingRef {
  readonly snapshotter: string
  readonly key: string
}

/** What the database may not need any more of the backends. */
export interface Unused {
  readonly blob?: Digest | undefined
  /** The content store's ref. */
  readonly ingest?: string | undefined
  readonly snapshot?: BackingRef | undefined
}
