import type { Applier } from '@nsbox/core/diff'
import { type LayerWorkers, localComparer } from '@nsbox/diff'
import type { DifferOf } from '../routes/diff.ts'
import type { ViewOf } from '../rpc/namespace-views.ts'

/** What differs are made of. */
export interface DifferParts {
  /** For the blobs of all namespaces. */
  readonly applier: Applier
  readonly workers: LayerWorkers
}

/** Makes the differ of each call: it reads and writes blobs of the call's namespace, under its lease. */
export function differsOf(view: ViewOf, { applier, workers }: DifferParts): DifferOf {
  return (context) => {
    const namespaced = view(context)
    return {
      applier: namespaced.applier(applier),
      comparer: localComparer({ workers, content: namespaced.content }),
    }
  }
}
