import type { SerializedError } from '@nsbox/errors'
import type { AppliedTree, ApplyJob } from '../apply/apply-layer.ts'
import type { MadeLayer, MakeLayerJob } from '../compare/make-layer.ts'

/** The jobs of a worker with their results; all of it can be cloned to another thread. */
export interface Work {
  readonly apply: { readonly job: ApplyJob; readonly result: AppliedTree }
  readonly compare: { readonly job: MakeLayerJob; readonly result: MadeLayer }
}

/** The kinds of jobs. */
export type WorkKind = keyof Work

/** A job with its kind. */
export type WorkToDo = {
  [Kind in WorkKind]: { readonly kind: Kind; readonly job: Work[Kind]['job'] }
}[WorkKind]

/** Messages of the pool to a worker. A worker has one job at a time. */
export type ToWorker =
  | ({ readonly say: 'run'; readonly id: number } & WorkToDo)
  | { readonly say: 'abort'; readonly id: number }

/** Messages of a worker. `ready` comes once and first; then one of the others for each job. */
export type FromWorker =
  | { readonly say: 'ready' }
  | { readonly say: 'done'; readonly id: number; readonly result: Work[WorkKind]['result'] }
  | { readonly say: 'failed'; readonly id: number; readonly error: SerializedError }
