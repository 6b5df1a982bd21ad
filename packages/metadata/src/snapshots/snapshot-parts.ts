import type { Clock } from '../clock.ts'
import type { Collector } from '../collector.ts'
import type { SharingPolicy } from '../content-parts.ts'
import type { Ledger } from '../ledger.ts'
import type { BackingsInUse } from './backings-in-use.ts'
import type { CommitsUnderWay } from './commits-under-way.ts'
import type { FreshBackings } from './fresh-backings.ts'

/** What the snapshots of all namespaces work with. */
export interface SnapshotParts {
  readonly ledger: Ledger
  readonly collector: Collector
  readonly clock: Clock
  readonly policy: SharingPolicy
  readonly commits: CommitsUnderWay
  readonly fresh: FreshBackings
  readonly inUse: BackingsInUse
}
