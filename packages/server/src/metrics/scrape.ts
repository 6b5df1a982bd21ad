import type { EventLoopUtilization } from 'node:perf_hooks'
import type { SupervisorStatistics } from '@nsbox/supervisor'
import type { ServerCounts } from '../counts/server-counts.ts'
import type { ProcessSample } from './process-sample.ts'
import type { TaskSamples } from './task-samples.ts'

/** What metrics are made of at one moment. */
export interface Scrape {
  readonly counts: ServerCounts
  readonly build: { readonly version: string; readonly revision: string }
  readonly samples: TaskSamples
  readonly process: ProcessSample
  readonly loop: EventLoopUtilization
  /** Absent where there are no tasks. */
  readonly supervision?: SupervisorStatistics | undefined
}
