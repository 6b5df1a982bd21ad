import type { ContentStore, IngestLocks } from '@nsbox/core/content'
import type { Clock } from '@nsbox/time'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import type { BlobGate } from './blob-gate.ts'
import type { Sharing } from './sharing.ts'

/** What the content of all namespaces works with. */
export interface ContentParts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
  readonly gate: BlobGate
  readonly locks: IngestLocks
  /** The store with the bytes of all namespaces. */
  readonly backend: ContentStore
  readonly sharing: Sharing
}
