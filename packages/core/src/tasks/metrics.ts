import type { Timestamp } from '@nsbox/time'
import type { OpaqueValue } from '../opaque-value.ts'
import type { CgroupV1Metrics } from './cgroup-v1-metrics.ts'
import type { CgroupV2Metrics } from './cgroup-v2-metrics.ts'

/** The metrics of a task at one moment. */
export interface TaskMetrics {
  /** The container. */
  readonly id: string
  readonly timestamp: Timestamp
  /** By the version of the host's cgroups; other data of a server are kept verbatim. */
  readonly data:
    | { readonly cgroup: 1; readonly metrics: CgroupV1Metrics }
    | { readonly cgroup: 2; readonly metrics: CgroupV2Metrics }
    | { readonly opaque: OpaqueValue }
}
