import type { Clock } from '@nsbox/time'
import type { Sharing } from '../content/sharing.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import type { BackingsInUse } from './backings-in-use.ts'
import type { CommitsUnderWay } from './commits-under-way.ts'
import type { FreshBackings } from './fresh-backings.ts'
import type { RemovalsUnderWay } from './removals-under-way.ts'

/** What the snapshots of all namespaces work with. */
export interface SnapshotParts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
  readonly sharing: Sharing
  readonly commits: CommitsUnderWay
  readonly removals: RemovalsUnderWay
  readonly fresh: FreshBackings
  readonly inUse: BackingsInUse
}
