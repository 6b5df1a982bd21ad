import type { ContentStore } from '@nsbox/core/content'
import type { BlobGate } from './blob-gate.ts'
import type { Clock } from './clock.ts'
import type { Collector } from './collector.ts'
import type { Ledger } from './ledger.ts'
import type { WriterLocks } from './writer-locks.ts'

/**
 * Whether a blob that one namespace has may be taken over by another without its bytes (BEHAVIOUR.md §3), and what the
 * server has unpacked for one without unpacking it again (DESIGN §4).
 */
export type SharingPolicy = 'shared' | 'isolated'

/** What the content of all namespaces works with. */
export interface ContentParts {
  readonly ledger: Ledger
  readonly collector: Collector
  readonly clock: Clock
  readonly gate: BlobGate
  readonly locks: WriterLocks
  /** The store that has the bytes of all namespaces. */
  readonly backend: ContentStore
  readonly policy: SharingPolicy
}
