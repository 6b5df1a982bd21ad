import type { SerializedError } from '@nsbox/errors'
import type { AppliedTree, ApplyJob } from '../apply/apply-layer.ts'
import type { MadeLayer, MakeLayerJob } from '../compare/make-layer.ts'

/** Work that a worker can be given, and what comes of each; all of it survives structured cloning. */
export interface Work {
  readonly apply: { readonly job: ApplyJob; readonly result: AppliedTree }
  readonly compare: { readonly job: MakeLayerJob; readonly result: MadeLayer }
}

/** The kinds of work. */
export type WorkKind = keyof Work

/** A kind with a job of it. */
export type WorkToDo = {
  [Kind in WorkKind]: { readonly kind: Kind; readonly job: Work[Kind]['job'] }
}[WorkKind]

/** What the pool says to a worker. A worker has one piece of work at a time. */
export type ToWorker =
  | ({ readonly say: 'run'; readonly id: number } & WorkToDo)
  | { readonly say: 'abort'; readonly id: number }

/** What a worker says. `ready` comes once, before all else; then one of the others for each piece of work. */
export type FromWorker =
  | { readonly say: 'ready' }
  | { readonly say: 'done'; readonly id: number; readonly result: Work[WorkKind]['result'] }
  | { readonly say: 'failed'; readonly id: number; readonly error: SerializedError }
