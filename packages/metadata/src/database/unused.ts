import type { Digest } from '@nsbox/oci'

/** A snapshot by its snapshotter's key. */
export interface BackingRef {
  readonly snapshotter: string
  readonly key: string
}

/** Objects of the backends that the database may not need any more. */
export interface Unused {
  readonly blob?: Digest | undefined
  /** The ref in the content store. */
  readonly ingest?: string | undefined
  readonly snapshot?: BackingRef | undefined
  /** Whether a call that was given up may still make the snapshot. */
  readonly mayCome?: boolean | undefined
}
