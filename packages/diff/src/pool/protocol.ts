import type { SerializedError } from '@nsbox/errors'
import type { AppliedTree, ApplyJob } from '../apply/apply-layer.ts'

/** Work that a worker can be given, and what comes of each; plain data, so that it survives structured cloning. */
export interface Work {
  readonly apply: { readonly job: ApplyJob; readonly result: AppliedTree }
}

/** The kinds of work. */
export type WorkKind = keyof Work

/** What the pool says to a worker. A worker has one piece of work at a time. */
export type ToWorker =
  | { readonly say: 'run'; readonly id: number; readonly kind: WorkKind; readonly job: Work[WorkKind]['job'] }
  | { readonly say: 'abort'; readonly id: number }

/** What a worker says. `ready` comes once, before all else; then one of the others for each piece of work. */
export type FromWorker =
  | { readonly say: 'ready' }
  | { readonly say: 'done'; readonly id: number; readonly result: Work[WorkKind]['result'] }
  | { readonly say: 'failed'; readonly id: number; readonly error: SerializedError }
